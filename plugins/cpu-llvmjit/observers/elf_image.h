// An object file in memory that names compiled code for a debugger, and tells how to get out of its
// frames.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace backplane::jit {

struct NamedCode {
    std::string name;
    std::uint64_t start, bytes;
};

// Each of the two lists is in the order of addresses, and no code of others lies in between. Of
// two, as what is executed rarely is elsewhere.
std::vector<std::byte> elf_image(std::span<const NamedCode> hot, std::span<const NamedCode> cold);

}  // namespace backplane::jit
