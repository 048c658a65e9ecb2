// Reading or writing that comes down to one file of the host, for a caller who has better means
// than to wait for it: he moves the bytes himself, and says when it is done.
#pragma once

#include "images/segments.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace backplane::images {

struct FileTask {
    int fd = -1;
    std::uint64_t offset = 0;
    std::vector<iovec> segments = {};
    // Once, with 0 or an errno: what it means for the request. EAGAIN: it has to be done again in
    // the ordinary way, as after any error. Empty: just that.
    std::function<int(int error)> finish = {};
};

}  // namespace backplane::images
