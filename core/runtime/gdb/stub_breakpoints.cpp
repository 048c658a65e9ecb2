// The packets Z and z: breakpoints and watchpoints in every CPU.
#include "runtime/gdb/hex.h"
#include "runtime/gdb/stub.h"

namespace backplane::runtime::gdb {

namespace {

// Enough for any script, and few enough that a wild one does not slow the machine for ever.
constexpr std::size_t most_breakpoints = 4096;
constexpr std::uint64_t longest_watchpoint = 1 << 20;

std::optional<backplane_breakpoint_kind> kind_of(char type) {
    switch (type) {
    case '0':
    case '1': return BACKPLANE_BREAK_EXECUTE;
    case '2': return BACKPLANE_BREAK_WRITE;
    case '3': return BACKPLANE_BREAK_READ;
    case '4': return BACKPLANE_BREAK_ACCESS;
    default: return std::nullopt;
    }
}

// The third number of a breakpoint on instructions is a hint about the instruction.
VirtualCpu::Breakpoint engine_breakpoint(char type, std::uint64_t address, std::uint64_t length) {
    const auto kind = *kind_of(type);
    return {kind, address, kind == BACKPLANE_BREAK_EXECUTE ? 1 : length};
}

}  // namespace

// Asked twice for the same, GDB wants it once.
Stub::Reply Stub::change_breakpoint(std::string_view request, bool insert) {
    const std::string_view type = take_until(request, ',');
    if (type.size() != 1 || !kind_of(type.front())) return "";
    const auto address = number_from_hex(take_until(request, ','));
    const auto length = number_from_hex(take_until(request, ';'));
    if (!address || !length || *length > longest_watchpoint) return error::bad_packet;

    const Breakpoint wanted{type.front(), *address, *length};
    if (breakpoints_.contains(wanted) == insert) return "OK";
    if (insert && breakpoints_.size() >= most_breakpoints) return error::bad_packet;
    const auto breakpoint = engine_breakpoint(type.front(), *address, *length);
    if (!insert) {
        breakpoints_.erase(wanted);
        for (std::size_t index = 0; index < cpu_count(); ++index)
            cpu(index).remove_breakpoint(breakpoint);
        return "OK";
    }
    for (std::size_t index = 0; index < cpu_count(); ++index) {
        if (cpu(index).insert_breakpoint(breakpoint)) continue;
        while (index-- > 0)
            cpu(index).remove_breakpoint(breakpoint);
        return error::bad_packet;
    }
    breakpoints_.insert(wanted);
    return "OK";
}

void Stub::remove_all_breakpoints() {
    for (const auto& [type, address, length] : breakpoints_)
        for (std::size_t index = 0; index < cpu_count(); ++index)
            cpu(index).remove_breakpoint(engine_breakpoint(type, address, length));
    breakpoints_.clear();
}

}  // namespace backplane::runtime::gdb
