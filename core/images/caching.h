// Where the host keeps what it is given of an image's file, and what flushing means.
#pragma once

#include <cstdint>

namespace backplane::images {

enum class Caching : std::uint8_t {
    Writeback,     // in its memory; flushing brings it to stable storage
    Writethrough,  // likewise, but whoever writes also flushes: the image's user sees to that
    None,          // on the disk, past the host's memory
    Unsafe         // in its memory, and the host decides when the disk gets it
};

}  // namespace backplane::images
