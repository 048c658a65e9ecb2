#include "nvme_events.h"

#include <algorithm>
#include <bit>

namespace backplane::storage::nvme {

bool Events::add_request(std::uint16_t command_id) {
    if (requests_ == most_requests) return false;
    command_ids_[requests_++] = command_id;
    return true;
}

bool Events::abort(std::uint16_t command_id) {
    const auto end = command_ids_.begin() + requests_;
    const auto found = std::find(command_ids_.begin(), end, command_id);
    if (found == end) return false;
    std::copy(found + 1, end, found);
    command_ids_[--requests_] = 0;
    return true;
}

void Events::add(const Event& event) {
    const auto type = static_cast<std::size_t>(event.type);
    const auto bit = static_cast<std::uint8_t>(1u << type);
    if ((masked_ & bit) != 0) return;
    masked_ |= bit;
    pending_ |= bit;
    waiting_[type] = static_cast<std::uint32_t>(type) | event.information << 8u |
                     static_cast<std::uint32_t>(event.log_page) << 16;
}

// Each type has a log page of its own here. An event that nobody has heard of yet stays.
void Events::log_page_was_read(std::uint8_t log_page) {
    for (std::size_t type = 0; type < types; ++type) {
        const auto bit = static_cast<std::uint8_t>(1u << type);
        if ((pending_ & bit) == 0 && waiting_[type] >> 16 == log_page)
            masked_ &= static_cast<std::uint8_t>(~bit);
    }
}

Events::Answer Events::take_answer() {
    const auto type = static_cast<std::size_t>(std::countr_zero(pending_));
    pending_ &= static_cast<std::uint8_t>(pending_ - 1);
    const std::uint16_t command_id = command_ids_.front();
    (void)abort(command_id);
    return {command_id, waiting_[type]};
}

}  // namespace backplane::storage::nvme
