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
[[nodiscard]] std::string gzip(std::string_view content);

}  // namespace backplane::profile
