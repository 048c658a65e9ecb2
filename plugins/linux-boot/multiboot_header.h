// What a kernel asks of a Multiboot loader, in either version of the specification, as its header
// says it. (Multiboot Specification 0.6.96, 3.1; Multiboot2 Specification 2.0, 3.1)
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>

namespace backplane::linux_boot {

enum class MultibootVersion : std::uint8_t { One, Two };

// Of a kernel that is not ELF: where the file goes. Ends of 0 are the file's end, and none.
struct MultibootAddresses {
    std::uint32_t header = 0, load = 0, load_end = 0, bss_end = 0;
};

// Of a kernel that can go elsewhere than it was linked to.
struct MultibootRelocation {
    std::uint32_t lowest = 0, highest = 0, alignment = 1;
};

struct MultibootHeader {
    MultibootVersion version = MultibootVersion::One;
    std::size_t offset = 0;  // in the file
    std::optional<MultibootAddresses> addresses;
    std::optional<std::uint32_t> entry;
    std::optional<MultibootRelocation> relocation;
    bool wants_screen = false;  // to be told about the text screen
};

// Nothing when there is none; an error, as a predicate, when it asks for what cannot be done.
std::expected<std::optional<MultibootHeader>, std::string>
find_multiboot_header(std::span<const std::byte> file);

}  // namespace backplane::linux_boot
