// The structure that a Multiboot kernel is given at its entry, in either version.
#pragma once

#include "boot_plan.h"

#include <cstdint>
#include <vector>

namespace backplane::linux_boot {

// What the structure tells, with everything in its place already.
struct MultibootFacts {
    struct Module {
        std::uint32_t start, end;
        std::string command_line;
    };

    std::string command_line;
    std::vector<Module> modules;
    std::vector<E820Entry> map;
    std::vector<std::byte> section_headers;  // of an ELF kernel, with addresses
    std::uint32_t section_header_size = 0, section_names = 0;
    bool has_screen = false;
    std::uint32_t load_base = 0;
    std::vector<std::byte> acpi_root;

    // KiB from 0 and from 1 MiB on, to the first hole.
    std::uint32_t lower_memory() const;
    std::uint32_t upper_memory() const;
};

// `base` is where the bytes will lie; their number does not depend on it.
std::vector<std::byte> multiboot_info_1(const MultibootFacts& facts, std::uint32_t base);
std::vector<std::byte> multiboot_info_2(const MultibootFacts& facts);

}  // namespace backplane::linux_boot
