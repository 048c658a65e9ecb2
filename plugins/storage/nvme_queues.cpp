#include "nvme_queues.h"

#include "nvme_command.h"

namespace backplane::storage::nvme {

void SubmissionQueues::create(std::uint32_t queue, std::uint64_t at, std::uint32_t entries,
                              std::uint16_t completes_to, Priority wanted) {
    base[queue] = at;
    size[queue] = entries;
    head[queue] = tail[queue] = 0;
    completion_queue[queue] = completes_to;
    priority[queue] = wanted;
}

std::uint64_t SubmissionQueues::take_head(std::uint32_t queue) {
    const std::uint64_t address = base[queue] + head[queue] * Command::size;
    if (++head[queue] == size[queue]) head[queue] = 0;
    return address;
}

// No further than to the entry before the head: equal is empty.
bool SubmissionQueues::set_tail(std::uint32_t queue, std::uint32_t value) {
    if (value >= size[queue]) return false;
    const auto used = [&](std::uint32_t end) {
        return end >= head[queue] ? end - head[queue] : end + size[queue] - head[queue];
    };
    if (used(value) < used(tail[queue])) return false;
    tail[queue] = value;
    return true;
}

void CompletionQueues::create(std::uint32_t queue, std::uint64_t at, std::uint32_t entries) {
    base[queue] = at;
    size[queue] = entries;
    head[queue] = tail[queue] = reserved[queue] = 0;
    vector[queue] = 0;
    has_interrupts[queue] = phase[queue] = true;
}

std::uint64_t CompletionQueues::take_tail(std::uint32_t queue) {
    const std::uint64_t address = base[queue] + tail[queue] * Completion::size;
    if (++tail[queue] == size[queue]) {
        tail[queue] = 0;
        phase[queue] = !phase[queue];
    }
    return address;
}

// No further than to what has been written.
bool CompletionQueues::set_head(std::uint32_t queue, std::uint32_t value) {
    if (value >= size[queue]) return false;
    if (distance(queue, head[queue], value) > unread(queue)) return false;
    head[queue] = value;
    return true;
}

}  // namespace backplane::storage::nvme
