// Paths of host files as people write them in machine files.
#pragma once

#include "runtime/source_place.h"

#include <filesystem>
#include <string_view>

namespace backplane::runtime {

// Absolute: `~/` is the user's home; a relative path starts where the text that says so is (for the
// command line: in the current directory).
[[nodiscard]] std::filesystem::path host_path(std::string_view text, const Source& said_by);

}  // namespace backplane::runtime
