// What a debugger outside the machine wants to see: instructions about to be executed, and accesses
// to memory, by linear address. The guest's debug registers (breakpoints.h) know nothing of these.
#pragma once

#include "x86/paging.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace backplane::x86 {

enum class DebuggerBreakpointKind : std::uint8_t { Execute, Write, Read, Access };

struct DebuggerBreakpoint {
    DebuggerBreakpointKind kind = DebuggerBreakpointKind::Execute;
    std::uint64_t linear = 0;
    std::uint64_t length = 1;

    friend bool operator==(const DebuggerBreakpoint&, const DebuggerBreakpoint&) = default;
};

class DebuggerBreakpoints {
public:
    // Those that are there twice have to be removed twice. False: empty, or around the end of the
    // address space.
    bool insert(const DebuggerBreakpoint& wanted) {
        if (wanted.length == 0 || wanted.linear + (wanted.length - 1) < wanted.linear) return false;
        list_of(wanted.kind).push_back(wanted);
        return true;
    }

    bool remove(const DebuggerBreakpoint& wanted) {
        auto& list = list_of(wanted.kind);
        const auto found = std::ranges::find(list, wanted);
        if (found == list.end()) return false;
        list.erase(found);
        return true;
    }

    bool has_code() const { return !code_.empty(); }
    bool has_data() const { return !data_.empty(); }

    const DebuggerBreakpoint* on_instruction(std::uint64_t linear) const {
        for (const DebuggerBreakpoint& each : code_)
            if (each.linear == linear) return &each;
        return nullptr;
    }

    // An access that does both, such as that of INC, reads and writes.
    struct Access {
        std::uint64_t linear;
        unsigned size;
        bool reads, writes;
    };
    const DebuggerBreakpoint* on_access(const Access& access) const {
        for (const DebuggerBreakpoint& each : data_) {
            if (!overlaps(each, access.linear, access.size)) continue;
            if (each.kind == DebuggerBreakpointKind::Access) return &each;
            if (each.kind == DebuggerBreakpointKind::Write ? access.writes : access.reads)
                return &each;
        }
        return nullptr;
    }

    // Whether the page of this address has such a breakpoint: then engines look closer.
    bool on_code_page(std::uint64_t linear) const { return on_page(code_, linear); }
    bool on_data_page(std::uint64_t linear) const { return on_page(data_, linear); }

private:
    using List = std::vector<DebuggerBreakpoint>;

    List& list_of(DebuggerBreakpointKind kind) {
        return kind == DebuggerBreakpointKind::Execute ? code_ : data_;
    }

    static bool overlaps(const DebuggerBreakpoint& each, std::uint64_t first, std::uint64_t size) {
        return first <= each.linear + (each.length - 1) && first + (size - 1) >= each.linear;
    }

    static bool on_page(const List& list, std::uint64_t linear) {
        const std::uint64_t page = linear & ~page_offset_mask;
        return std::ranges::any_of(
            list, [&](const auto& each) { return overlaps(each, page, page_size); });
    }

    List code_, data_;
};

}  // namespace backplane::x86
