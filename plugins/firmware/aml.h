// ACPI machine language for the parts of the namespace that depend on how a machine is built; the
// rest is ASL. (ACPI 6.4, chapters 20 and 6.4)
#pragma once

#include "byte_table.h"

#include <cstdint>
#include <string_view>

namespace backplane::firmware::aml {

// `name` is a NameString in ASL's letters: "\\_SB.PCI0", "C000".
Table name_string(std::string_view name);
Table integer(std::uint64_t value);
Table text(std::string_view value);
Table buffer(const Table& content);

Table name(std::string_view name, const Table& value);
Table scope(std::string_view name, const Table& terms);
Table device(std::string_view name, const Table& terms);
Table processor(std::string_view name, std::uint8_t id);

Table operator+(Table first, const Table& second);

// Descriptors of a resource template.
Table bus_numbers(std::uint16_t first, std::uint16_t last);
Table fixed_ports(std::uint16_t first, std::uint8_t count);
Table port_window(std::uint16_t first, std::uint16_t last);
Table memory_window_32(std::uint32_t first, std::uint32_t last);
Table memory_window_64(std::uint64_t first, std::uint64_t last);
Table fixed_memory(std::uint32_t base, std::uint32_t size);
// The template itself.
Table resources(const Table& descriptors);

}  // namespace backplane::firmware::aml
