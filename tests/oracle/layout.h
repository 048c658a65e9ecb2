// Where cases lie in linear memory: at the same addresses on the processor under the tests and in
// the engine, below 2 GiB so that every code size reaches them.
#pragma once

#include <cstddef>
#include <cstdint>

namespace backplane::oracle {

constexpr std::size_t page_bytes = 4096;

// Two pages of code, readable and executable, with the absent behind them. Every byte that is not
// the case's is INT3.
constexpr std::uint64_t code_address = 0x1000'0000;
constexpr std::size_t code_bytes = 2 * page_bytes;
constexpr std::uint8_t filler = 0xcc;

// Two pages that instructions may write, a read-only one, and the absent around them.
constexpr std::uint64_t data_address = 0x2000'0000;
constexpr std::size_t data_bytes = 2 * page_bytes;
constexpr std::uint64_t read_only_address = data_address + data_bytes;
constexpr std::size_t read_only_bytes = page_bytes;

// Linux's own selectors, and those of the local table that native_process.cpp installs.
namespace selector {
constexpr std::uint16_t code32 = 0x23, data = 0x2b, code64 = 0x33;
constexpr std::uint16_t code16 = 0x07;     // based at the code
constexpr std::uint16_t data16 = 0x0f;     // 64 KiB with the data in the middle
constexpr std::uint16_t based = 0x17;      // 32-bit, a base, a limit within the data
constexpr std::uint16_t downward = 0x1f;   // expands down from 64 KiB
constexpr std::uint16_t read_only = 0x27;  // flat
constexpr std::uint16_t absent = 0x2f;
constexpr std::uint16_t execute_only = 0x37;  // 32-bit code, flat
}  // namespace selector

constexpr std::uint64_t data16_base = data_address - 0x2000;
constexpr std::uint64_t based_base = data_address - 0x100;
constexpr std::uint32_t based_limit = 0x1fff;
constexpr std::uint64_t downward_base = data_address - 0x1000;
constexpr std::uint32_t downward_limit = 0x0fff;

}  // namespace backplane::oracle
