// What the host said when it refused something.
#pragma once

#include <cstring>
#include <string>

namespace backplane::character {

// "cannot open "/x" for writing: Permission denied"
inline std::string host_error(const std::string& what, int error) {
    return what + ": " + std::strerror(error);
}

}  // namespace backplane::character
