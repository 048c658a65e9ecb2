#include "interp/slow_access.h"

#include "interp/interpreter.h"
#include "x86/descriptor.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace backplane::interp {
namespace {

using x86::AccessKind;

Interpreter& owner(Core* cpu) { return *static_cast<Interpreter*>(cpu); }

View view_of(const Core* cpu, const x86::FastPages* pages) {
    for (const View view : {View::User, View::SupervisorUserData, View::UserAligned})
        if (pages == cpu->pages(view)) return view;
    return View::Supervisor;
}

// Where an access that begins in one page goes on: outside 64-bit code addresses have 32 bits.
std::uint64_t next_page(const Core* cpu, std::uint64_t linear, std::uint32_t first_size) {
    const std::uint64_t next = linear + first_size;
    return cpu->state.code64() ? next : next & 0xffff'ffff;
}

// SDM 3A 6.15 interrupt 17: what is read or written lies at a multiple of its size, the ten bytes
// of an x87 register at one of eight. XMM registers count as a whole and YMM registers as two, as
// the processor has it.
bool is_aligned(std::uint64_t linear, std::uint32_t size) {
    return (linear & (size == 10 ? 7 : std::min(size, 16u) - 1)) == 0;
}

// The page of an access's first byte, if the access is one that this view may make.
std::optional<Interpreter::Page> first_page(Interpreter& cpu, std::uint64_t linear,
                                            std::uint32_t size, AccessKind kind, View view) {
    // Processors look at the page only when the address is aligned.
    const bool misaligned = view == View::UserAligned && !is_aligned(linear, size);
    if (!misaligned || !x86::is_canonical(linear)) return cpu.resolve(linear, kind, view);
    cpu.set_fault({.vector = x86::Vector::AlignmentCheck});
    return std::nullopt;
}

std::uint32_t bytes_in_page(std::uint64_t linear, std::uint32_t size) {
    return static_cast<std::uint32_t>(
        std::min<std::uint64_t>(size, x86::page_size - (linear & x86::page_offset_mask)));
}

// Devices take 1, 2, 4 or 8 bytes; what is larger or a part of a page-crossing access goes in
// pieces.
std::uint32_t device_piece(std::uint64_t physical, std::uint32_t size) {
    if (size == 1 || size == 2 || size == 4 || size == 8) return size;
    for (std::uint32_t piece = 8;; piece /= 2)
        if (piece <= size && physical % piece == 0) return piece;
}

void read_part(Interpreter& cpu, const Op* op, const Interpreter::Page& page, std::uint32_t size,
               std::uint8_t* to) {
    if (page.host) {
        std::memcpy(to, page.host, size);
        return;
    }
    for (std::uint32_t done = 0; done < size;) {
        const std::uint32_t piece = device_piece(page.physical + done, size - done);
        const std::uint64_t value = cpu.device_read(op, page.physical + done, piece);
        std::memcpy(to + done, &value, piece);
        done += piece;
    }
}

void write_part(Interpreter& cpu, const Op* op, const Interpreter::Page& page, std::uint32_t size,
                const std::uint8_t* from) {
    if (page.host) {
        std::memcpy(page.host, from, size);
        if (page.has_code) cpu.code_written(page.physical, size);
        return;
    }
    for (std::uint32_t done = 0; done < size;) {
        const std::uint32_t piece = device_piece(page.physical + done, size - done);
        std::uint64_t value = 0;
        std::memcpy(&value, from + done, piece);
        cpu.device_write(op, page.physical + done, piece, value);
        done += piece;
    }
}

// Both pages of an access that crosses from one to the other. While one of them is prepared for
// writing, another processor may begin to execute from the other.
std::optional<std::array<Interpreter::Page, 2>>
both_pages(Interpreter& cpu, std::uint64_t linear, std::uint32_t size, AccessKind kind, View view) {
    const std::uint64_t next = next_page(&cpu, linear, bytes_in_page(linear, size));
    for (;;) {
        const auto first = first_page(cpu, linear, size, kind, view);
        if (!first) return std::nullopt;
        const auto second = cpu.resolve(next, kind, view);
        if (!second) return std::nullopt;
        if (kind != AccessKind::Write ||
            !(cpu.is_foreign_code(first->physical) || cpu.is_foreign_code(second->physical)))
            return std::array{*first, *second};
    }
}

bool load(Core* core, const Op* op, std::uint64_t linear, std::uint32_t size, View view,
          AccessKind kind) {
    Interpreter& cpu = owner(core);
    const std::uint32_t first_size = bytes_in_page(linear, size);
    if (first_size == size) {
        const auto page = first_page(cpu, linear, size, kind, view);
        if (!page) return false;
        cpu.note_access(op, {linear, size, true, kind == AccessKind::Write});
        read_part(cpu, op, *page, size, core->transfer.data());
        return true;
    }
    const auto both = both_pages(cpu, linear, size, kind, view);
    if (!both) return false;
    cpu.note_access(op, {linear, size, true, kind == AccessKind::Write});
    read_part(cpu, op, (*both)[0], first_size, core->transfer.data());
    read_part(cpu, op, (*both)[1], size - first_size, core->transfer.data() + first_size);
    return true;
}

}  // namespace

// What handlers call by name (slow_access.h): aligns the stack and goes to NAME_body.
#define BACKPLANE_BODY extern "C" [[gnu::used]] __attribute__((preserve_most))
#define BACKPLANE_THUNK(name)                                                                      \
    extern "C" [[gnu::naked, gnu::used]] void backplane_interp_##name() {                          \
        asm("pushq %rbp\n\tmovq %rsp, %rbp\n\tandq $-16, %rsp\n\t"                                 \
            "call backplane_interp_" #name "_body\n\tmovq %rbp, %rsp\n\tpopq %rbp\n\tret");        \
    }

BACKPLANE_THUNK(load_slow)
BACKPLANE_THUNK(store_slow)
BACKPLANE_THUNK(load_for_update_slow)
BACKPLANE_THUNK(host_for_update_slow)
BACKPLANE_THUNK(raise_slow)
BACKPLANE_THUNK(begin_exclusive_slow)
BACKPLANE_THUNK(end_exclusive_slow)

BACKPLANE_BODY std::uint64_t backplane_interp_load_slow_body(Core* cpu, const Op* op,
                                                             std::uint64_t linear,
                                                             std::uint32_t size,
                                                             const x86::FastPages* pages) {
    return load(cpu, op, linear, size, view_of(cpu, pages), AccessKind::Read);
}

BACKPLANE_BODY std::uint64_t
backplane_interp_load_for_update_slow_body(Core* cpu, const Op* op, std::uint64_t linear,
                                           std::uint32_t size, const x86::FastPages* pages) {
    return load(cpu, op, linear, size, view_of(cpu, pages), AccessKind::Write);
}

BACKPLANE_BODY std::uint64_t backplane_interp_store_slow_body(Core* core, const Op* op,
                                                              std::uint64_t linear,
                                                              std::uint32_t size,
                                                              const x86::FastPages* pages) {
    Interpreter& cpu = owner(core);
    const View view = view_of(core, pages);
    const std::uint32_t first_size = bytes_in_page(linear, size);
    if (first_size == size) {
        const auto page = first_page(cpu, linear, size, AccessKind::Write, view);
        if (!page) return false;
        cpu.note_access(op, {linear, size, false, true});
        write_part(cpu, op, *page, size, core->transfer.data());
        return true;
    }
    const auto both = both_pages(cpu, linear, size, AccessKind::Write, view);
    if (!both) return false;
    cpu.note_access(op, {linear, size, false, true});
    write_part(cpu, op, (*both)[0], first_size, core->transfer.data());
    write_part(cpu, op, (*both)[1], size - first_size, core->transfer.data() + first_size);
    return true;
}

BACKPLANE_BODY std::uint64_t
backplane_interp_host_for_update_slow_body(Core* core, const Op* op, std::uint64_t linear,
                                           std::uint32_t size, const x86::FastPages* pages) {
    if (bytes_in_page(linear, size) != size) return 0;
    Interpreter& cpu = owner(core);
    const auto page = first_page(cpu, linear, size, AccessKind::Write, view_of(core, pages));
    if (!page || page->has_code) return 0;
    cpu.note_access(op, {linear, size, true, true});
    return reinterpret_cast<std::uint64_t>(page->host);
}

BACKPLANE_BODY void backplane_interp_begin_exclusive_slow_body(Core* cpu) {
    owner(cpu).begin_exclusive();
}

BACKPLANE_BODY void backplane_interp_end_exclusive_slow_body(Core* cpu) {
    owner(cpu).end_exclusive();
}

std::uint32_t read_port_slow(Core* cpu, const Op* op, std::uint32_t port, std::uint32_t size) {
    return owner(cpu).port_read(op, static_cast<std::uint16_t>(port), size);
}

void write_port_slow(Core* cpu, const Op* op, std::uint32_t port, std::uint32_t size,
                     std::uint32_t value) {
    owner(cpu).port_write(op, static_cast<std::uint16_t>(port), size, value);
}

std::uint32_t read_port_many_slow(Core* cpu, const Op* op, std::uint32_t port, std::uint32_t size,
                                  std::span<std::byte> data) {
    return owner(cpu).port_read_many(op, static_cast<std::uint16_t>(port), size, data);
}

std::uint32_t write_port_many_slow(Core* cpu, const Op* op, std::uint32_t port, std::uint32_t size,
                                   std::span<const std::byte> data) {
    return owner(cpu).port_write_many(op, static_cast<std::uint16_t>(port), size, data);
}

std::span<std::byte> direct_span_slow(Core* core, std::uint64_t linear, x86::SegmentAccess access) {
    Interpreter& cpu = owner(core);
    const bool writes = access == x86::SegmentAccess::Write;
    const std::uint64_t length = x86::page_size - (linear & x86::page_offset_mask);
    const std::uint64_t tag = linear & ~x86::page_offset_mask;
    if (core->view == View::UserAligned || cpu.watches_data(linear)) return {};
    const x86::FastPage known = (*core->pages(core->view))[x86::fast_index(linear)];
    if ((writes ? known.write_tag : known.read_tag) == tag)
        return {reinterpret_cast<std::byte*>(linear + known.addend), length};
    const x86::Fault before = core->fault;
    const auto page = cpu.resolve(linear, writes ? AccessKind::Write : AccessKind::Read,
                                  core->view);
    if (!page) core->fault = before;
    if (!page || !page->host) return {};
    if (writes && page->has_code && !cpu.drop_code_behind(page->physical)) return {};
    return {reinterpret_cast<std::byte*>(page->host), length};
}

BACKPLANE_BODY void backplane_interp_raise_slow_body(Core* cpu, std::uint32_t vector,
                                                     std::uint32_t error_code,
                                                     std::uint64_t address) {
    owner(cpu).set_fault({static_cast<x86::Vector>(vector), error_code, address});
}

}  // namespace backplane::interp
