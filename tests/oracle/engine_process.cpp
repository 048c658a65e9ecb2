#include "engine_process.h"

#include "support/fp_registers.h"
#include "x86/control_registers.h"
#include "x86/descriptor.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace backplane::oracle {
namespace {

using namespace x86;

// Physical memory.
constexpr std::uint64_t code_frame = 0x10'0000, data_frame = 0x11'0000, system_frame = 0x12'0000,
                        tables_frame = 0x20'0000;

// What only privilege 0 sees, in the half of the address space that Linux keeps for itself.
constexpr std::uint64_t system_address = 0xffff'8000'0000'0000;
constexpr std::uint64_t gdt = 0x0000, ldt = 0x0800, task = 0x1000, idt = 0x2000, handlers = 0x3000,
                        stack_top = 0x6000, system_bytes = 0x6000;
constexpr std::uint16_t kernel_code = 0x10;
constexpr std::uint16_t ldt_entries = 7;

namespace page {
constexpr std::uint64_t present = 1, writable = 2, user = 4, accessed = 0x60,
                        no_execute = std::uint64_t{1} << 63;
}

std::uint64_t segment_word(std::uint32_t base, std::uint32_t limit, std::uint16_t attributes) {
    return (limit & 0xffffu) | std::uint64_t{base & 0xffffff} << 16 |
           std::uint64_t{attributes} << 40 | std::uint64_t{limit >> 16 & 0xf} << 48 |
           std::uint64_t{base >> 24} << 56;
}

// A descriptor's word as a segment register's hidden part has it.
SegmentRegister loaded(std::uint16_t selector, std::uint64_t word) {
    SegmentRegister segment;
    segment.selector = selector;
    segment.attributes = static_cast<std::uint16_t>(word >> 40 & 0xf0ff);
    segment.base = (word >> 16 & 0xffffff) | (word >> 56 & 0xff) << 24;
    segment.limit = static_cast<std::uint32_t>((word & 0xffff) | (word >> 32 & 0xf0000));
    if (segment.attributes & 0x8000) segment.limit = segment.limit << 12 | 0xfff;
    return segment;
}

// BACKPLANE_ORACLE_FEATURES="avx,fma" compares what is not advertised yet.
void add_asked_features(FeatureSet& features) {
    const char* asked = std::getenv("BACKPLANE_ORACLE_FEATURES");
    std::string_view names = asked ? asked : "";
    while (!names.empty()) {
        const auto end = std::min(names.find(','), names.size());
        if (const auto feature = feature_named(names.substr(0, end))) features.add(*feature);
        names.remove_prefix(std::min(end + 1, names.size()));
    }
}

}  // namespace

const CpuModel& complete_model() {
    static const CpuModel model = [] {
        CpuModel made = *make_cpu_model("x86-64-v1");
        made.name = "complete";
        made.vendor = Vendor::Amd;
        made.features = implemented_features();
        add_asked_features(made.features);
        return made;
    }();
    return model;
}

// One instruction to a block, as a block that is only begun is not compiled.
EngineProcess::EngineProcess() : cpu_{bus_, std::size_t{4} << 20, complete_model(), 1} {
    build_tables();
    copy_segments();
    build_gates();

    at_start_.cr0 = 0x8005'0033;  // PG AM WP NE ET MP PE, as Linux has it
    at_start_.cr3 = tables_frame;
    at_start_.efer = 0xd01;
    std::uint64_t cr4 = 0x6a8;  // DE PAE PGE OSFXSR OSXMMEXCPT
    if (complete_model().has(Feature::Fsgsbase)) cr4 |= 1u << 16;
    if (complete_model().has(Feature::Xsave)) {
        cr4 |= 1u << 18;
        at_start_.xcr0 = complete_model().has(Feature::Avx) ? 7 : 3;
    }
    at_start_.cr4 = cr4;
    at_start_.gdtr = {system_address + gdt, 0x7f};
    at_start_.idtr = {system_address + idt, 0xfff};
    at_start_.ldtr = {.base = system_address + ldt,
                      .limit = ldt_entries * 8 - 1,
                      .selector = 0x50,
                      .attributes = 0x82};
    at_start_.tr = {
        .base = system_address + task, .limit = 0x67, .selector = 0x40, .attributes = 0x8b};
    at_start_.cpl = 3;

    cpu_.on_exception = [this](const Fault& found) {
        if (fault_) return;
        fault_ = found;
        at_fault_ = cpu_.state;
    };
    std::memset(&bus_.ram[code_frame], filler, code_bytes);
    for (std::size_t i = 0; i < read_only_bytes; ++i)
        bus_.ram[data_frame + data_bytes + i] = read_only_byte(i);
    cpu_.state = at_start_;
    cpu_.state_replaced();
}

void EngineProcess::build_tables() {
    using namespace page;
    next_table_ = tables_frame + page_bytes;
    for (std::uint64_t at = 0; at < code_bytes; at += page_bytes)
        map(code_address + at, code_frame + at, present | user | accessed);
    for (std::uint64_t at = 0; at < data_bytes; at += page_bytes)
        map(data_address + at, data_frame + at, present | user | writable | accessed | no_execute);
    map(read_only_address, data_frame + data_bytes, present | user | accessed | no_execute);
    for (std::uint64_t at = 0; at < system_bytes; at += page_bytes)
        map(system_address + at, system_frame + at, present | writable | accessed);
}

void EngineProcess::map(std::uint64_t linear, std::uint64_t physical, std::uint64_t flags) {
    std::uint64_t table = tables_frame;
    for (unsigned shift = 39; shift > 12; shift -= 9) {
        const std::uint64_t place = table + (linear >> shift & 511) * 8;
        if (!(get<std::uint64_t>(place) & page::present)) {
            put<std::uint64_t>(place, next_table_ | 7 | page::accessed);
            next_table_ += page_bytes;
        }
        table = get<std::uint64_t>(place) & 0x000f'ffff'ffff'f000;
    }
    put<std::uint64_t>(table + (linear >> 12 & 511) * 8, physical | flags);
}

// The host's visible descriptors are read back with LAR and LSL. What only the kernel may see is
// absent, and refused like it.
void EngineProcess::copy_segments() {
    for (unsigned slot = 0; slot < 16; ++slot) {
        const std::uint32_t asked = slot * 8 | 3;
        std::uint32_t rights = 0, limit = 0;
        bool visible;
        asm("lar %2, %0" : "+r"(rights), "=@ccz"(visible) : "r"(asked));
        if (!visible) continue;
        asm("lsl %1, %0" : "+r"(limit) : "r"(asked) : "cc");
        const std::uint32_t raw = (rights & 0x800000) ? limit >> 12 : limit;
        put(system_frame + gdt + 8 * slot,
            segment_word(0, raw, static_cast<std::uint16_t>(rights >> 8 & 0xf0ff)));
    }
    put(system_frame + gdt + kernel_code, segment_word(0, 0xfffff, 0xa09b));

    // As native_child.cpp has Linux build them: accessed, and AVL set.
    const std::uint64_t local[ldt_entries] = {
        segment_word(static_cast<std::uint32_t>(code_address), 0xffff, 0x10fb),
        segment_word(static_cast<std::uint32_t>(data16_base), 0xffff, 0x10f3),
        segment_word(static_cast<std::uint32_t>(based_base), based_limit, 0x50f3),
        segment_word(static_cast<std::uint32_t>(downward_base), downward_limit, 0x10f7),
        segment_word(0, 0xfffff, 0xd0f1),
        segment_word(0, 0xfffff, 0xd073),
        segment_word(0, 0xfffff, 0xd0f9),
    };
    for (unsigned i = 0; i < ldt_entries; ++i)
        put(system_frame + ldt + 8 * i, local[i]);
}

// Linux lets user code raise #BP and #OF alone. Every handler is HLT.
void EngineProcess::build_gates() {
    for (unsigned vector = 0; vector < 256; ++vector) {
        const std::uint64_t handler = system_address + handlers + vector * 16;
        const std::uint64_t dpl = vector == 3 || vector == 4 ? 3 : 0;
        const std::uint64_t place = system_frame + idt + vector * 16;
        put<std::uint64_t>(place, (handler & 0xffff) | std::uint64_t{kernel_code} << 16 |
                                      (0x8e00 | dpl << 13) << 32 | (handler >> 16 & 0xffff) << 48);
        put<std::uint64_t>(place + 8, handler >> 32);
        bus_.ram[system_frame + handlers + vector * 16] = 0xf4;
    }
    put<std::uint64_t>(system_frame + task + 4, system_address + stack_top);
    put<std::uint16_t>(system_frame + task + 0x66, 0x68);  // no permission bitmap within the limit
}

void EngineProcess::load(const Case& test) {
    if (dirty_code_) std::memset(&bus_.ram[dirty_code_], filler, sizeof test.bytes);
    const std::uint64_t offset = test.code_size == CodeSize::Bits16
                                     ? test.before.rip
                                     : test.before.rip - code_address;
    if (dirty_code_) cpu_.invalidate_physical(dirty_code_, sizeof test.bytes);
    dirty_code_ = code_frame + offset;
    std::memcpy(&bus_.ram[dirty_code_], test.bytes.data(), test.length);
    cpu_.invalidate_physical(dirty_code_, test.length);
    std::memcpy(&bus_.ram[data_frame], test.memory.data(), data_bytes);

    CpuState& state = cpu_.state;
    state = at_start_;
    state.gpr = test.before.gpr;
    state.rip = test.before.rip;
    state.set_full_rflags(test.before.rflags | (test.engine_steps ? rflags::tf : 0));
    for (unsigned i = 0; i < 6; ++i) {
        const std::uint16_t selector = test.before.selectors[i];
        const std::uint64_t table = system_frame + (selector & 4 ? ldt : gdt);
        if (selector & ~3)
            state.segments[i] = loaded(selector, get<std::uint64_t>(table + (selector & ~7u)));
        else
            state.segments[i] = {.base = 0, .limit = 0, .selector = selector, .attributes = 0};
    }
    if (test.code_size == CodeSize::Bits64) {
        state.segments[FS].base = test.before.fs_base;
        state.segments[GS].base = test.before.gs_base;
    }

    x86::testing::load_fp_registers(state, test.before.vector);
    fault_.reset();
    cpu_.mode_changed();
}

void EngineProcess::run(const Case& test, Result& result) {
    load(test);
    (void)cpu_.run(1);
    const bool stepped = fault_ && fault_->vector == Vector::Debug;
    if (stepped) {
        // While the engine runs, MXCSR is the host's; delivery changes no vector register.
        at_fault_.mxcsr = cpu_.state.mxcsr;
        at_fault_.x87 = cpu_.state.x87;
        at_fault_.vectors = cpu_.state.vectors;
    }
    store(result, fault_ ? at_fault_ : cpu_.state);
    result.vector = Result::no_fault;
    result.error_code = 0;
    result.fault_address = 0;
    if (fault_ && !stepped) {
        result.vector = static_cast<int>(fault_->vector);
        if (has_error_code(fault_->vector)) result.error_code = fault_->error_code;
        if (fault_->vector == Vector::PageFault) result.fault_address = fault_->address;
    } else if (!fault_ && cpu_.state.cpl == 0) {
        take_software_interrupt(result);
    }
}

// INT3, INTO and INT1 go through their gates without raising a fault; the frame says where from.
void EngineProcess::take_software_interrupt(Result& result) {
    const CpuState& state = cpu_.state;
    const std::uint64_t frame = system_frame + (state.gpr[RSP] - system_address);
    result.vector = static_cast<int>((state.rip - system_address - handlers) / 16);
    result.after.rip = get<std::uint64_t>(frame);
    result.after.rflags = get<std::uint64_t>(frame + 16);
    result.after.selectors[CS] = static_cast<std::uint16_t>(get<std::uint64_t>(frame + 8));
    result.after.gpr[RSP] = get<std::uint64_t>(frame + 24);
    result.after.selectors[SS] = static_cast<std::uint16_t>(get<std::uint64_t>(frame + 32));
}

void EngineProcess::store(Result& result, const CpuState& state) {
    MachineState& after = result.after;
    after.gpr = state.gpr;
    after.rip = state.rip;
    after.rflags = state.full_rflags();
    for (unsigned i = 0; i < 6; ++i)
        after.selectors[i] = state.segments[i].selector;
    after.fs_base = state.segments[FS].base;
    after.gs_base = state.segments[GS].base;
    after.vector = {};
    x86::testing::store_fp_registers(state, after.vector);
    std::memcpy(result.memory.data(), &bus_.ram[data_frame], data_bytes);
}

}  // namespace backplane::oracle
