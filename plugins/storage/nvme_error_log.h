// The latest errors of a controller, as its error information log has them. (NVM Express 1.4,
// 5.14.1.1)
#pragma once

#include "nvme_identify.h"

#include <backplane/declaration.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace backplane::storage::nvme {

class ErrorLog {
public:
    static constexpr std::size_t entries = error_log_entries + 1;

    struct Error {
        std::uint16_t submission_queue = 0xffff, command_id = 0xffff;  // all ones: of no command
        std::uint16_t status = 0;                                      // with the phase tag's place
        std::uint64_t lba = 0;
        std::uint32_t namespace_id = 0;
    };

    void add(const Error& error);
    // Errors there ever were.
    std::uint64_t count() const { return count_; }
    // The log page: the newest first.
    std::vector<std::byte> page() const;

    template <class T, class Accessor>
    static void declare_saved(Declaration<T>& d, Accessor log);

private:
    // Of error number n, from 1: at (n - 1) % entries.
    std::uint64_t count_ = 0;
    std::array<std::uint16_t, entries> submission_queue_{}, command_id_{}, status_{};
    std::array<std::uint64_t, entries> lba_{};
    std::array<std::uint32_t, entries> namespace_id_{};
};

template <class T, class Accessor>
void ErrorLog::declare_saved(Declaration<T>& d, Accessor log) {
    d.saved("errors", [log](T& t) -> auto& { return log(t).count_; });
    d.saved("errors.sq", [log](T& t) -> auto& { return log(t).submission_queue_; });
    d.saved("errors.command", [log](T& t) -> auto& { return log(t).command_id_; });
    d.saved("errors.status", [log](T& t) -> auto& { return log(t).status_; });
    d.saved("errors.lba", [log](T& t) -> auto& { return log(t).lba_; });
    d.saved("errors.namespace", [log](T& t) -> auto& { return log(t).namespace_id_; });
}

}  // namespace backplane::storage::nvme
