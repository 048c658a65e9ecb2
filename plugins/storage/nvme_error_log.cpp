#include "nvme_error_log.h"

#include <cstring>

namespace backplane::storage::nvme {

namespace {

// Figure 195; what is not here is 0.
struct Entry {
    std::uint64_t error_count;
    std::uint16_t submission_queue, command_id;
    std::uint16_t status;
    std::uint16_t parameter_location;
    std::uint64_t lba;
    std::uint32_t namespace_id;
    std::array<std::uint8_t, 36> reserved;
};
static_assert(sizeof(Entry) == 64);

constexpr std::uint16_t no_particular_location = 0xffff;

}  // namespace

void ErrorLog::add(const Error& error) {
    const std::size_t place = count_++ % entries;
    submission_queue_[place] = error.submission_queue;
    command_id_[place] = error.command_id;
    status_[place] = error.status;
    lba_[place] = error.lba;
    namespace_id_[place] = error.namespace_id;
}

std::vector<std::byte> ErrorLog::page() const {
    std::vector<std::byte> page(entries * sizeof(Entry));
    for (std::size_t index = 0; index < entries && index < count_; ++index) {
        const std::uint64_t number = count_ - index;
        const std::size_t place = (number - 1) % entries;
        const Entry entry{number,
                          submission_queue_[place],
                          command_id_[place],
                          status_[place],
                          no_particular_location,
                          lba_[place],
                          namespace_id_[place],
                          {}};
        std::memcpy(page.data() + index * sizeof entry, &entry, sizeof entry);
    }
    return page;
}

}  // namespace backplane::storage::nvme
