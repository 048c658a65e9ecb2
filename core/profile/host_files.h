// Files of the host as a whole.
#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace backplane::profile {

// Messages name the file.
[[nodiscard]] std::expected<std::string, std::string>
read_host_file(const std::filesystem::path& file);
// Beside it first, so that there is all of it or what was there before. Compressed where its name
// ends with .gz.
[[nodiscard]] std::expected<void, std::string> write_host_file(const std::filesystem::path& file,
                                                               std::string_view content);

[[nodiscard]] std::string gzip(std::string_view content);

}  // namespace backplane::profile
