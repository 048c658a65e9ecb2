// Reads a recording, as far as it goes.
#pragma once

#include "profile/recording.h"

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace backplane::profile {

// Why it is none, without the file's name.
[[nodiscard]] std::expected<Recording, std::string> parse_recording(std::string_view bytes);
// A whole message.
[[nodiscard]] std::expected<Recording, std::string>
read_recording(const std::filesystem::path& file);

}  // namespace backplane::profile
