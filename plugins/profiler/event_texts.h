// What events are about, in words.
#pragma once

#include <cstdint>
#include <string_view>

namespace backplane::profiler {

// "read of a page that is not there", by the error code of a page fault (SDM 3A 4.7).
std::string_view page_fault_text(std::uint32_t error_code);
// "Page fault", by the vector (SDM 3A table 6-1); "exception" for others than these.
std::string_view exception_text(std::uint8_t vector);
// "write", by its number in abi/block.h.
std::string_view block_operation_text(std::uint32_t operation);
// "no space", likewise.
std::string_view block_result_text(std::uint32_t result);

}  // namespace backplane::profiler
