// Exceptions as values: a semantic that cannot complete raises one and leaves the guest's state
// untouched.
#pragma once

#include <cstdint>

namespace backplane::x86 {

// SDM 3A 6.3.1, table 6-1.
enum class Vector : std::uint8_t {
    DivideError = 0,
    Debug = 1,
    NonMaskable = 2,
    Breakpoint = 3,
    Overflow = 4,
    BoundRange = 5,
    InvalidOpcode = 6,
    DeviceNotAvailable = 7,
    DoubleFault = 8,
    InvalidTss = 10,
    SegmentNotPresent = 11,
    StackFault = 12,
    GeneralProtection = 13,
    PageFault = 14,
    FloatingPoint = 16,
    AlignmentCheck = 17,
    MachineCheck = 18,
    SimdFloatingPoint = 19,
};

struct Fault {
    Vector vector;
    std::uint32_t error_code = 0;  // pushed only for the vectors that have one
    std::uint64_t address = 0;     // page faults: what CR2 receives
};

// SDM 3A 6.3.1: #DF, #TS, #NP, #SS, #GP, #PF and #AC push an error code.
constexpr bool has_error_code(Vector vector) {
    constexpr std::uint32_t mask = 1u << 8 | 1u << 10 | 1u << 11 | 1u << 12 | 1u << 13 | 1u << 14 |
                                   1u << 17;
    return (mask >> static_cast<unsigned>(vector)) & 1;
}

// How a semantic ended. Everything but Next is cold.
enum class Outcome : std::uint8_t {
    Next,   // complete; go on with the following instruction
    Jump,   // complete; Machine::jump has set the next instruction pointer
    Leave,  // complete; leave the block, because what is executed next may have changed (mode,
            // paging, code)
    Fault,  // not complete; Machine::raise has recorded why, no state was changed
    Again,  // not complete; registers hold the progress (REP interrupted): execute the same
            // instruction again
};

}  // namespace backplane::x86
