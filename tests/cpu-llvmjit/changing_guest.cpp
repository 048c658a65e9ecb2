#include "changing_guest.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>

namespace backplane::jit::testing {

using interp::testing::TestBus, interp::testing::TestProcessor;
using x86::R13, x86::R14, x86::RBP, x86::RBX, x86::RSP;

namespace {

constexpr std::uint64_t present = 1, writable = 2, user = 4, large_page = 0x80, global = 0x100,
                        no_execute = std::uint64_t{1} << 63, no_flush = std::uint64_t{1} << 63;
constexpr unsigned rounds = 14;

using Bytes = std::vector<std::uint8_t>;

void append(Bytes& to, std::initializer_list<unsigned> bytes) {
    for (const unsigned byte : bytes)
        to.push_back(static_cast<std::uint8_t>(byte));
}

void append32(Bytes& to, std::uint64_t value) {
    for (unsigned i = 0; i < 4; ++i)
        to.push_back(static_cast<std::uint8_t>(value >> 8 * i));
}

}  // namespace

ChangingGuest::ChangingGuest(std::uint64_t seed, unsigned processors)
    : generator_{seed}, processors_{processors}, pcid_{chance(60)} {
    choose_layout();
    for (unsigned i = 0; i < code_pages; ++i)
        code_.push_back(make_page());
    make_routines();
    for (unsigned i = 0; i < processors; ++i)
        make_records(i);
}

// ---- Pages of code ----

enum Function : unsigned {
    Add,
    Rotate,
    ReadPage,
    WriteNumber,
    ChangeNext,
    Call,
    Jump,
    Branch,
    Loop,
    ReadPointer,
    WritePointer,
    Vector,
    Stack,
    ChangeOwnEntry,
    Exchange,
    FunctionCount,
};

void ChangingGuest::choose_layout() {
    for (unsigned slot = 0; slot < slots; ++slot)
        kinds_.push_back(pick(FunctionCount));
    numbers_.resize(slots);
}

Bytes ChangingGuest::make_page() {
    Bytes page;
    for (unsigned slot = 0; slot < slots; ++slot) {
        const std::size_t start = page.size();
        emit_function(page, slot);
        // What is behind a function is another one.
        while (page.size() < start + slot_bytes)
            append(page, {0xc3});
    }
    return page;
}

// Each returns. RBX has the results; R8, R9 and R10 point into the window; R11, R12 and what is at
// R13 + 8 are an entry of the tables, a value for it, and what it maps.
void ChangingGuest::emit_function(Bytes& page, unsigned slot) {
    const auto start = static_cast<std::uint32_t>(page.size());
    const auto number = [&](unsigned slot_of) { return numbers_[slot_of]; };
    const auto note_number = [&](std::size_t further = 0) {
        numbers_[slot] = static_cast<std::uint16_t>(page.size() + further);
    };
    constexpr std::size_t behind_return = 1;
    // From the end of an instruction that ends so many bytes behind.
    const auto relative = [&](std::int64_t target, unsigned more) {
        return static_cast<std::uint64_t>(target - static_cast<std::int64_t>(page.size() + more));
    };
    // Only onwards, so that calls come to an end: in this page, or one of the next.
    const auto function_behind = [&] {
        const unsigned far = chance(30) ? pick(3) * slots : 0;
        const unsigned onwards = std::max(far, slot + 1) + pick(chance(50) ? 4 : 40);
        return std::int64_t{onwards % slots == 0 ? onwards + 1 : onwards} * slot_bytes;
    };
    if (slot == 0) {
        // The rest of an instruction that began in the page before; or, for who comes from there
        // otherwise, add ebx, n;  nop
        note_number();
        append(page, {0x83, 0xc3, pick(128), 0x90, 0xc3});
        return;
    }
    if (slot == slots - 1) {
        note_number(8);
        if (kinds_[slot] % 2 == 0) {  // add rbx, n, which ends in the next page
            append(page, {0xeb, 0x3b});
            page.resize(start + 0x3d, 0xc3);
            append(page, {0x48, 0x81, 0xc3});
        } else {  // add ebx, n;  nop, which end with the page
            append(page, {0xeb, 0x3a});
            page.resize(start + 0x3c, 0xc3);
            note_number(2);
            append(page, {0x83, 0xc3, pick(128), 0x90});
        }
        return;
    }
    switch (kinds_[slot]) {
    case Add:  // add rbx, n
        append(page, {0x48, 0x81, 0xc3});
        note_number();
        append32(page, random());
        break;
    case Rotate:  // rol rbx, n;  xor rbx, n
        append(page, {0x48, 0xc1, 0xc3, pick(64), 0x48, 0x81, 0xf3});
        note_number();
        append32(page, random());
        break;
    case ReadPage:  // xor rbx, [rip + n]: in this page
        append(page, {0x48, 0x33, 0x1d});
        note_number();
        append32(page, relative(pick(0xff8), 4));
        break;
    case WriteNumber:  // add dword [rip + n], n: another function's number
        append(page, {0x81, 0x05});
        append32(page, relative(number(slot > 1 ? 1 + pick(slot - 1) : 0), 8));
        note_number();
        append32(page, pick(256));
        break;
    case ChangeNext:  // mov [rip + 1], bl;  mov al, n;  add bl, al
        append(page, {0x88, 0x1d, 1, 0, 0, 0, 0xb0, pick(256), 0x00, 0xc3});
        note_number(behind_return);
        break;
    case Call:  // call;  add ebx, n
        append(page, {0xe8});
        append32(page, relative(function_behind(), 4));
        append(page, {0x81, 0xc3});
        note_number();
        append32(page, random());
        break;
    case Jump:  // jmp
        append(page, {0xe9});
        append32(page, relative(function_behind(), 4));
        note_number(behind_return);
        break;
    case Branch: {  // test ebx, n;  jcc;  jcc
        append(page, {0xf7, 0xc3});
        note_number();
        append32(page, 1u << pick(32));
        append(page, {0x0f, 0x84 + pick(2)});
        append32(page, relative(function_behind(), 4));
        append(page, {0x0f, 0x80 + pick(16)});
        append32(page, relative(function_behind(), 4));
        break;
    }
    case Loop:  // mov ecx, n;  again: imul ebx, ebx, n;  inc rbx;  dec ecx;  jnz again
        append(page, {0xb9, 1 + pick(20), 0, 0, 0, 0x69, 0xdb});
        note_number();
        append32(page, random() | 1);
        append(page, {0x48, 0xff, 0xc3, 0xff, 0xc9, 0x75, 0xf3});
        break;
    case ReadPointer:  // add rbx, [r8 + n]
        append(page, {0x49, 0x03, 0x98});
        note_number();
        append32(page, pick(0x1100));
        break;
    case WritePointer:  // mov [r9 + n], ebx;  mov [r9 + n + 4], ebx
        append(page, {0x41, 0x89, 0x99});
        note_number();
        append32(page, pick(0x1100));
        append(page, {0x41, 0x89, 0x59, pick(128)});
        break;
    case Vector:  // movdqu xmm0, [r8 + n];  movdqu [r9 + n], xmm0;  paddd xmm0, xmm0
        append(page, {0xf3, 0x41, 0x0f, 0x6f, 0x80});
        note_number();
        append32(page, pick(0x1100));
        append(page, {0xf3, 0x41, 0x0f, 0x7f, 0x81});
        append32(page, pick(0x1100));
        append(page, {0x66, 0x0f, 0xfe, 0xc0});
        break;
    case Stack:  // push rbx;  push n;  pop rax;  pop rdx;  lea rbx, [rax + rdx * 4]
        append(page, {0x53, 0x68});
        note_number();
        append32(page, random());
        append(page, {0x58, 0x5a, 0x48, 0x8d, 0x1c, 0x90});
        break;
    case ChangeOwnEntry:  // mov [r11], r12;  mov rax, [r13 + 8];  invlpg [rax];  add rbx, n
        append(page, {0x4d, 0x89, 0x23, 0x49, 0x8b, 0x45, 8, 0x0f, 0x01, 0x38, 0x48, 0x81, 0xc3});
        note_number();
        append32(page, random());
        break;
    case Exchange:  // lock xadd [r10 + n], ebx
        append(page, {0xf0, 0x41, 0x0f, 0xc1, 0x9a});
        note_number();
        append32(page, pick(0x1000));
        break;
    default: break;
    }
    append(page, {0xc3});
}

// ---- The routines: R14 is the record, R13 the stack at its beginning, RBP rounds to go ----

void ChangingGuest::make_routines() {
    Bytes& bytes = routine_bytes_;
    // add r14, 32;  jmp [r14]
    static constexpr std::initializer_list<unsigned> next{0x49, 0x83, 0xc6, 0x20, 0x41, 0xff, 0x26};
    const auto routine = [&](std::initializer_list<unsigned> body) {
        bytes.resize((bytes.size() + 15) / 16 * 16, 0x90);
        const std::uint64_t address = TestProcessor::code + bytes.size();
        append(bytes, body);
        append(bytes, next);
        return address;
    };
    Routines& r = routines_;
    // mov rax, [r14 + 8];  mov rdx, [r14 + 16], and then:
    //   mov [rax], dl;  edx;  rdx;  xor rbx, [rax];  add [rax], edx;  lock add
    r.store1 = routine({0x49, 0x8b, 0x46, 8, 0x49, 0x8b, 0x56, 16, 0x88, 0x10});
    r.store4 = routine({0x49, 0x8b, 0x46, 8, 0x49, 0x8b, 0x56, 16, 0x89, 0x10});
    r.store8 = routine({0x49, 0x8b, 0x46, 8, 0x49, 0x8b, 0x56, 16, 0x48, 0x89, 0x10});
    r.load8 = routine({0x49, 0x8b, 0x46, 8, 0x48, 0x33, 0x18});
    r.add4 = routine({0x49, 0x8b, 0x46, 8, 0x49, 0x8b, 0x56, 16, 0x01, 0x10});
    r.locked_add4 = routine({0x49, 0x8b, 0x46, 8, 0x49, 0x8b, 0x56, 16, 0xf0, 0x01, 0x10});
    // movups xmm1, [rax];  movups [rdx], xmm1
    r.vector_copy = routine(
        {0x49, 0x8b, 0x46, 8, 0x49, 0x8b, 0x56, 16, 0x0f, 0x10, 0x08, 0x0f, 0x11, 0x0a});
    r.invlpg = routine({0x49, 0x8b, 0x46, 8, 0x0f, 0x01, 0x38});
    r.call = routine({0x41, 0xff, 0x56, 8});
    // The flags that a function left go into the result: call;  pushf;  pop rax;  and eax, 8d5h;
    // add
    r.call_and_look = routine(
        {0x41, 0xff, 0x56, 8, 0x9c, 0x58, 0x25, 0xd5, 0x08, 0, 0, 0x48, 0x01, 0xc3});
    r.load_cr3 = routine({0x49, 0x8b, 0x46, 8, 0x0f, 0x22, 0xd8});
    // mov rax, cr4;  xor eax, 80h;  mov cr4, rax, twice
    r.toggle_global = routine({0x0f, 0x20, 0xe0, 0x35, 0x80, 0, 0, 0, 0x0f, 0x22, 0xe0, 0x35, 0x80,
                               0, 0, 0, 0x0f, 0x22, 0xe0});
    // invpcid rax, [r14 + 16]
    r.invpcid = routine({0x49, 0x8b, 0x46, 8, 0x66, 0x41, 0x0f, 0x38, 0x82, 0x46, 16});
    // R8, R9 and R10; and R11, R12 and [r13 + 8]
    r.pointers = routine({0x4d, 0x8b, 0x46, 8, 0x4d, 0x8b, 0x4e, 16, 0x4d, 0x8b, 0x56, 24});
    r.own_entry = routine(
        {0x4d, 0x8b, 0x5e, 8, 0x4d, 0x8b, 0x66, 16, 0x49, 0x8b, 0x46, 24, 0x49, 0x89, 0x45, 8});
    // mov rsi or rax, and rdi;  mov ecx, [r14 + 24];  rep movsb;  rep stosq
    r.copy = routine({0x49, 0x8b, 0x76, 8, 0x49, 0x8b, 0x7e, 16, 0x41, 0x8b, 0x4e, 24, 0xf3, 0xa4});
    r.fill = routine(
        {0x49, 0x8b, 0x46, 8, 0x49, 0x8b, 0x7e, 16, 0x41, 0x8b, 0x4e, 24, 0xf3, 0x48, 0xab});
    // dec ebp;  jz out;  mov r14, [r14 + 8];  jmp [r14];  out: hlt
    r.again = routine({0xff, 0xcd, 0x74, 7, 0x4d, 0x8b, 0x76, 8, 0x41, 0xff, 0x26, 0xf4});
}

// ---- Records ----

std::uint64_t ChangingGuest::root_of(unsigned root) const {
    return tables + (std::uint64_t{processor_} * roots + root) * 0x8000;
}

std::uint64_t ChangingGuest::page_of_code() { return pages + pick(code_pages) * 0x1000; }

// What a page of the window shows.
std::uint64_t ChangingGuest::entry_value() {
    if (chance(6)) return pick(2) ? 0 : page_of_code();  // not present
    std::uint64_t flags = present | user;
    if (chance(85)) flags |= writable;
    if (chance(8)) flags |= no_execute;
    if (chance(4)) return TestBus::device | flags | no_execute;
    if (chance(12)) return (pages + (code_pages + pick(data_pages)) * 0x1000) | flags;
    return page_of_code() | flags;
}

// Makes a change of tables in an address space known, in one of the ways that do.
void ChangingGuest::flush(std::uint64_t linear, unsigned root, bool global_too, bool any_size) {
    const std::uint64_t pcid = root + 1;
    for (;;) {
        switch (pick(6)) {
        case 0:
            if (root != root_ || any_size) break;
            return add(routines_.invlpg, linear + pick(0x1000));
        case 1:
            if (global_too || root != root_) break;
            return add(routines_.load_cr3, cr3_of(root_));
        case 2: return add(routines_.toggle_global);
        case 3:
            if (global_too || any_size || !pcid_) break;
            return add(routines_.invpcid, 0, pcid, linear);
        case 4:
            if (global_too || !pcid_) break;
            return add(routines_.invpcid, chance(50) ? 1 : 3, pcid, 0);
        case 5: return add(routines_.invpcid, 2, 0, 0);
        }
    }
}

void ChangingGuest::change_entries() {
    const unsigned page = pick(window_pages);
    const std::uint64_t linear = window + page * 0x1000;
    if (page >= first_global) {
        const std::uint64_t value = entry_value() | global;
        for (unsigned root = 0; root < roots; ++root)
            add(routines_.store8, table_of(root) + page * 8, value);
        return flush(linear, root_, true, false);
    }
    const unsigned root = chance(70) ? root_ : pick(roots);
    // Some are written in parts.
    const std::uint64_t entry = table_of(root) + page * 8, value = entry_value();
    if (chance(10)) {
        add(routines_.store4, entry, 0);
        add(routines_.store4, entry + 4, value >> 32);
        add(routines_.store4, entry, value);
    } else {
        add(routines_.store8, entry, value);
    }
    flush(linear, root, false, false);
}

void ChangingGuest::change_large() {
    const std::uint64_t entry = root_of(root_) + 0x2000 + 8;
    const bool becomes_large = chance(50);
    std::uint64_t flags = present | user;
    if (chance(80)) flags |= writable;
    add(routines_.store8, entry,
        becomes_large ? large_target | flags | large_page : large_table_of(root_) | flags);
    flush(large, root_, false, true);
}

void ChangingGuest::change_code() {
    const unsigned slot = 1 + pick(slots - 1);
    const std::uint64_t number = pages + pick(code_pages) * 0x1000 + numbers_[slot];
    const std::uint64_t place = chance(40)   ? window + pick(window_pages) * 0x1000 + numbers_[slot]
                                : chance(20) ? large + number - large_target
                                             : number;
    if (chance(10)) {  // a whole function, over the same of another page
        const std::uint64_t source = page_of_code() + slot * slot_bytes;
        return add(routines_.copy, source, (place & ~std::uint64_t{0xfff}) + slot * slot_bytes,
                   slot_bytes);
    }
    const std::uint64_t value = random() & 0x7f;
    add(chance(50)   ? routines_.store1
        : chance(50) ? routines_.add4
                     : routines_.locked_add4,
        place, value);
}

void ChangingGuest::switch_root() {
    root_ = pick(roots);
    add(routines_.load_cr3, cr3_of(root_) | (pcid_ && chance(60) ? no_flush : 0));
    // What functions change in the tables is of the address space that they are executed in.
    const unsigned page = pick(first_global);
    add(routines_.own_entry, table_of(root_) + page * 8, entry_value() | present,
        window + page * 0x1000);
}

void ChangingGuest::call_function() {
    const unsigned slot = 1 + pick(slots - 1);
    const std::uint64_t page = chance(80)
                                   ? window + pick(window_pages) * 0x1000
                                   : large + (pages - large_target) + pick(code_pages) * 0x1000;
    const std::uint64_t at = page + slot * slot_bytes;
    const unsigned times = chance(30) ? 3 : 1;
    for (unsigned i = 0; i < times; ++i)
        add(chance(70) ? routines_.call : routines_.call_and_look, at);
}

std::uint64_t ChangingGuest::some_address() {
    const std::uint64_t offset = pick(0x1000);
    if (chance(15))
        return large + (pages - large_target) + pick(code_pages + data_pages) * 0x1000 + offset;
    return window + pick(window_pages) * 0x1000 + offset;
}

void ChangingGuest::access_data() {
    const auto data = [&] {
        return pages + (code_pages + pick(data_pages)) * 0x1000 + pick(0xff0);
    };
    switch (pick(6)) {
    case 0:
    case 1: return add(routines_.load8, some_address());
    case 2: return add(routines_.vector_copy, some_address(), data());
    case 3: return add(routines_.copy, some_address(), data(), pick(64));
    case 4: return add(routines_.fill, 0xc3c3'c3c3'c3c3'c3c3, data() & ~7u, pick(16));
    case 5:
        // Mostly nothing is written over code: it would soon be none.
        return add(routines_.pointers, some_address(), chance(85) ? data() : some_address(),
                   chance(85) ? data() : some_address());
    }
}

void ChangingGuest::make_records(unsigned processor) {
    processor_ = processor;
    lists_.emplace_back();
    root_ = 0;
    // The tables as they are at the beginning.
    const auto set = [&](std::uint64_t place, std::uint64_t value) {
        table_entries_.emplace_back(place, value);
    };
    std::vector<std::uint64_t> shared;
    for (unsigned page = first_global; page < window_pages; ++page)
        shared.push_back(entry_value() | global);
    for (unsigned root = 0; root < roots; ++root) {
        const std::uint64_t top = root_of(root);
        constexpr std::uint64_t flags = present | writable | user;
        set(top, (top + 0x1000) | flags);
        set(top + 0x1000, (TestProcessor::tables + 0x2000) | flags);
        set(top + 0x1008, (top + 0x2000) | flags);
        set(top + 0x2000, table_of(root) | flags);
        set(top + 0x2008, large_table_of(root) | flags);
        for (unsigned page = 0; page < window_pages; ++page)
            set(table_of(root) + page * 8,
                page < first_global ? entry_value() : shared[page - first_global]);
        for (unsigned page = 0; page < code_pages + data_pages; ++page)
            set(large_table_of(root) + ((pages - large_target) >> 12) * 8 + page * 8,
                entry_value());
    }

    const std::uint64_t start = records + processor * records_apart;
    add(routines_.load_cr3, cr3_of(0));
    add(routines_.own_entry, table_of(0), entry_value() | present, window);
    const std::uint64_t data = pages + code_pages * 0x1000;
    add(routines_.pointers, some_address(), data, data + 0x1000);
    const unsigned count = 60 + pick(200);
    for (unsigned i = 0; i < count; ++i) {
        const unsigned what = pick(100);
        if (what < 20)
            change_entries();
        else if (what < 23)
            change_large();
        else if (what < 35)
            change_code();
        else if (what < 40)
            switch_root();
        else if (what < 60)
            access_data();
        else
            call_function();
    }
    add(routines_.again, start);
}

// ---- Into a machine ----

void ChangingGuest::place(TestProcessor& machine) const {
    machine.place(TestProcessor::code, routine_bytes_);
    for (unsigned i = 0; i < code_pages; ++i)
        machine.place(pages + i * 0x1000, code_[i]);
    for (std::uint64_t at = pages + code_pages * 0x1000;
         at < pages + (code_pages + data_pages) * 0x1000; ++at)
        machine.write<std::uint8_t>(at, 0xc3);
    for (const auto& [place, value] : table_entries_)
        machine.write(place, value);
    for (unsigned i = 0; i < processors_; ++i) {
        std::uint64_t at = records + i * records_apart;
        for (const Record& record : lists_[i]) {
            machine.write(at, record);
            at += sizeof record;
        }
    }
    // Exceptions: what they tell goes into R15, and on with the next record.
    //   common: imul r15, r15, 1003;  add r15, rax;  mov rax, cr2;  xor r15, rax
    //   add r15, [rsp];  rol r15, 7;  xor r15, [rsp + 8];  mov rsp, r13;  add r14, 32;  jmp [r14]
    constexpr std::uint64_t common = TestProcessor::handlers + 0x2000;
    machine.place(common,
                  {0x4d, 0x69, 0xff, 0xeb, 0x03, 0,    0,    0x49, 0x01, 0xc7, 0x0f, 0x20, 0xd0,
                   0x49, 0x31, 0xc7, 0x4c, 0x03, 0x3c, 0x24, 0x49, 0xc1, 0xc7, 0x07, 0x4c, 0x33,
                   0x7c, 0x24, 0x08, 0x4c, 0x89, 0xec, 0x49, 0x83, 0xc6, 0x20, 0x41, 0xff, 0x26});
    for (std::uint64_t vector = 0; vector < 256; ++vector) {
        const std::uint64_t at = TestProcessor::handlers + vector * 16;
        // mov eax, vector;  jmp common
        machine.place(at, {0xb8, static_cast<int>(vector), 0, 0, 0, 0xe9});
        machine.write(at + 6, static_cast<std::uint32_t>(common - (at + 10)));
    }
}

void ChangingGuest::start(interp::Interpreter& cpu, unsigned number) const {
    x86::CpuState& state = cpu.state;
    constexpr std::uint64_t cr4_pcide = 1 << 17;
    state.cr4 = pcid_ ? state.cr4 | cr4_pcide : state.cr4 & ~cr4_pcide;
    // With the first record's address space.
    state.cr3 = tables + std::uint64_t{number} * roots * 0x8000 | (pcid_ ? 1 : 0);
    state.gpr = {};
    state.gpr[RSP] = state.gpr[R13] = stacks - number * 0x4000;
    state.gpr[R14] = records + number * records_apart;
    state.gpr[RBP] = rounds;
    std::memcpy(&state.rip, &lists_[number].front().routine, sizeof state.rip);
    cpu.state_replaced();
}

}  // namespace backplane::jit::testing
