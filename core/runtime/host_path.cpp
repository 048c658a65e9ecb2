#include "runtime/host_path.h"

#include <cstdlib>

namespace backplane::runtime {

std::filesystem::path host_path(std::string_view text, const Source& said_by) {
    if (text.starts_with("~/")) {
        if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
            return (std::filesystem::path{home} / text.substr(2)).lexically_normal();
    }
    return (said_by.directory / std::filesystem::path{text}).lexically_normal();
}

}  // namespace backplane::runtime
