// Somebody who wants to know of each piece of machine code that exists.
#pragma once

#include <cstddef>
#include <cstdint>

namespace backplane::jit {

// Code that was made of a block of the guest's.
struct InstalledCode {
    // What is executed often, and what is not.
    const std::uint8_t* start;
    std::size_t bytes;
    const std::uint8_t* cold_start;
    std::size_t cold_bytes;
    unsigned tier;
    // The guest's code: where it was when it became hot, and where it is always.
    std::uint64_t linear, physical;
    std::size_t guest_bytes, instructions, untranslated;
    std::uint64_t nanoseconds;  // that compiling took
};

// Where all of it is. The first bytes are jumps out of it that all blocks share.
struct CodeMemory {
    const std::uint8_t* start;
    std::size_t bytes, shared;
};

// Code that is gone; its memory will be used anew.
struct ReleasedCode {
    const std::uint8_t* start;
    std::size_t bytes;
    const std::uint8_t* cold_start;
    std::size_t cold_bytes;
};

class CodeWatcher {
public:
    virtual ~CodeWatcher() = default;

    // [vcpu] Before anything else.
    virtual void began(const CodeMemory&) {}
    // [vcpu]
    virtual void installed(const InstalledCode& code) = 0;
    // The guest wrote over its code, or it is mapped differently: nothing enters it any more.
    virtual void invalidated(std::uint64_t /*physical*/, unsigned /*tier*/) {}
    // To have room. It is what was installed before all else that is still there.
    virtual void released(const ReleasedCode&) {}
};

}  // namespace backplane::jit
