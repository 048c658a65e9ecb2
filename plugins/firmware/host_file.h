// Reads a whole host file into memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

namespace backplane::firmware {

// The error is a predicate: "cannot be read: No such file or directory".
std::expected<std::vector<std::byte>, std::string> read_file(const std::filesystem::path& path,
                                                             std::uint64_t largest);

}  // namespace backplane::firmware
