// How a kernel that needs no setup code is started: what goes where in memory, and the registers at
// its entry.
#pragma once

#include "cpu_registers.h"
#include "memory_map.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace backplane::linux_boot {

// Content, then zeros up to `size`.
struct Piece {
    std::uint64_t address = 0, size = 0;
    std::vector<std::byte> content;
};

struct BootPlan {
    std::vector<Piece> pieces;
    std::vector<RegisterValue> registers;
};

// A file that goes with the kernel.
struct BootModule {
    std::string command_line;  // with the file's name
    std::vector<std::byte> content;
};

struct BootRequest {
    std::string kernel_name, command_line;
    std::vector<BootModule> modules;
    std::vector<Range> ram;
    std::vector<Range> acpi_memory;  // no part of it
    // The root of ACPI tables that will be in memory, and where it will be.
    std::uint64_t acpi_root = 0;
    std::vector<std::byte> acpi_root_content;
};

using PlannedBoot = std::expected<BootPlan, std::string>;  // the error is a predicate

// Finds places one after another: the lowest that are behind the kernel and hold RAM.
class FreeMemory {
public:
    // Not below 1 MiB, where firmware's tables and screens are.
    FreeMemory(const BootRequest& request, BootPlan& plan, std::uint64_t from)
        : request_{request}, plan_{plan}, next_{std::max(from, std::uint64_t{0x100000})} {}

    // Below 4 GiB; nothing when there is no room.
    std::optional<std::uint64_t> reserve(std::uint64_t size, std::uint64_t alignment);
    std::optional<std::uint64_t> add(std::vector<std::byte> content, std::uint64_t alignment);

private:
    const BootRequest& request_;
    BootPlan& plan_;
    std::uint64_t next_;
};

// "a.mod first,b.mod second" as files and their command lines. A comma in a name is
// written twice, unless the list is nothing but one name.
struct ModuleName {
    std::string path, command_line;
    bool operator==(const ModuleName&) const = default;
};
std::vector<ModuleName> parse_module_list(const std::string& list);

}  // namespace backplane::linux_boot
