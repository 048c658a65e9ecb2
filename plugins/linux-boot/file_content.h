// Reads a whole file into memory.
#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

namespace backplane::linux_boot {

// The error is a predicate: "cannot be read: No such file or directory".
std::expected<std::vector<std::byte>, std::string> read_file(const std::filesystem::path& path);

}  // namespace backplane::linux_boot
