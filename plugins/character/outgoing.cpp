#include "outgoing.h"

#include "host_file.h"

#include <algorithm>
#include <cerrno>

namespace backplane::character {

std::uint32_t Outgoing::put(std::span<const std::uint8_t> bytes) {
    const std::size_t size = bytes.size();
    const std::size_t used = waiting_.size() - written_;
    if (when_full_ == WhenFull::Refuse) {
        bytes = bytes.first(std::min(size, capacity - std::min(capacity, used)));
        waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
        return static_cast<std::uint32_t>(bytes.size());
    }
    if (size > capacity) {
        dropped_ += size - capacity;
        bytes = bytes.last(capacity);
    }
    const std::size_t excess = used + bytes.size() - std::min(capacity, used + bytes.size());
    dropped_ += excess;
    written_ += excess;
    compact();
    waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
    return static_cast<std::uint32_t>(size);
}

int Outgoing::write_to(const HostFile& file) {
    while (!is_empty()) {
        const ssize_t taken = file.write(std::span{waiting_}.subspan(written_));
        if (taken >= 0) {
            written_ += static_cast<std::size_t>(taken);
            total_ += static_cast<std::uint64_t>(taken);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            compact();
            return EAGAIN;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    clear();
    return 0;
}

void Outgoing::clear() {
    waiting_.clear();
    written_ = 0;
}

// Moving the rest to the front pays only when much has gone.
void Outgoing::compact() {
    if (written_ < capacity && written_ < waiting_.size()) return;
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(written_));
    written_ = 0;
}

}  // namespace backplane::character
