// What listeners are told when a machine stops, goes on, is reset or ends.
#pragma once

#include <backplane/abi/cpu.h>

#include <cstdint>
#include <string>

namespace backplane::runtime {

class VirtualCpu;

enum class StateChange : std::uint8_t {
    Paused,      // somebody asked for it
    Breakpoint,  // a CPU is about to execute an instruction with a breakpoint
    Watchpoint,  // a CPU made a watched access, and completed the instruction
    Stepped,     // a CPU executed what it was to
    Shutdown,    // a CPU met a triple fault, and a debugger wants to see it
    Resumed,
    Reset,
    PoweredOff,  // the run is over
};

// All but the last three leave the machine paused.
struct StateEvent {
    StateChange change = StateChange::Paused;
    VirtualCpu* cpu = nullptr;  // who, where it is one
    // Breakpoint, Watchpoint: which one.
    backplane_breakpoint_kind kind = BACKPLANE_BREAK_EXECUTE;
    std::uint64_t address = 0;  // linear
    int exit_code = 0;          // PoweredOff
    std::string why;            // for people
};

}  // namespace backplane::runtime
