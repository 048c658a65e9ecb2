#include "event_texts.h"

#include <backplane/abi/block.h>

#include <array>

namespace backplane::profiler {

std::string_view page_fault_text(std::uint32_t error_code) {
    constexpr std::uint32_t present = 1, write = 2, reserved = 8, fetch = 16;
    if ((error_code & reserved) != 0) return "access through a reserved bit";
    const bool is_there = (error_code & present) != 0;
    if ((error_code & fetch) != 0)
        return is_there ? "fetch from a page of data" : "fetch from a page that is not there";
    if ((error_code & write) != 0)
        return is_there ? "write to a page that may not be written"
                        : "write to a page that is not there";
    return is_there ? "read of a page that may not be read" : "read of a page that is not there";
}

std::string_view exception_text(std::uint8_t vector) {
    constexpr std::array<std::string_view, 22> names{"Divide error",
                                                     "Debug exception",
                                                     "NMI",
                                                     "Breakpoint",
                                                     "Overflow",
                                                     "Bound range",
                                                     "Invalid opcode",
                                                     "Device not available",
                                                     "Double fault",
                                                     "Coprocessor overrun",
                                                     "Invalid TSS",
                                                     "Segment not present",
                                                     "Stack fault",
                                                     "General protection",
                                                     "Page fault",
                                                     "Exception 15",
                                                     "x87 error",
                                                     "Alignment check",
                                                     "Machine check",
                                                     "SIMD exception",
                                                     "Virtualization exception",
                                                     "Control protection"};
    return vector < names.size() ? names[vector] : "Exception";
}

std::string_view block_operation_text(std::uint32_t operation) {
    switch (operation) {
    case BACKPLANE_BLOCK_READ: return "read";
    case BACKPLANE_BLOCK_WRITE: return "write";
    case BACKPLANE_BLOCK_FLUSH: return "flush";
    case BACKPLANE_BLOCK_DISCARD: return "discard";
    case BACKPLANE_BLOCK_WRITE_ZEROES: return "write zeroes";
    default: return "request";
    }
}

std::string_view block_result_text(std::uint32_t result) {
    switch (result) {
    case BACKPLANE_BLOCK_OK: return "ok";
    case BACKPLANE_BLOCK_NO_SPACE: return "no space";
    case BACKPLANE_BLOCK_READ_ONLY: return "read only";
    case BACKPLANE_BLOCK_NO_MEDIUM: return "no medium";
    case BACKPLANE_BLOCK_INVALID: return "invalid";
    default: return "failed";
    }
}

}  // namespace backplane::profiler
