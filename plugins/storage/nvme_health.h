// What the SMART / Health Information log tells of a controller's life so far. (NVM Express 1.4,
// 5.14.1.2)
#pragma once

#include <backplane/declaration.h>

#include <cstdint>

namespace backplane::storage::nvme {

// Nothing here gets hot. Kelvin.
inline constexpr std::uint16_t temperature = 273 + 38;

struct Health {
    std::uint64_t bytes_read = 0, bytes_written = 0;
    std::uint64_t reads = 0, writes = 0;  // commands
    std::uint64_t unsafe_shutdowns = 0;
    std::uint64_t media_errors = 0;

    template <class T, class Accessor>
    static void declare_saved(Declaration<T>& d, Accessor health);
};

template <class T, class Accessor>
void Health::declare_saved(Declaration<T>& d, Accessor health) {
    d.saved("bytes-read", [health](T& t) -> auto& { return health(t).bytes_read; });
    d.saved("bytes-written", [health](T& t) -> auto& { return health(t).bytes_written; });
    d.saved("reads", [health](T& t) -> auto& { return health(t).reads; });
    d.saved("writes", [health](T& t) -> auto& { return health(t).writes; });
    d.saved("unsafe-shutdowns", [health](T& t) -> auto& { return health(t).unsafe_shutdowns; });
    d.saved("media-errors", [health](T& t) -> auto& { return health(t).media_errors; });
}

}  // namespace backplane::storage::nvme
