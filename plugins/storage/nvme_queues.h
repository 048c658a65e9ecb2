// The submission and completion queues of a controller: where they are in the guest's memory, and
// how far both sides have come. Queue 0 is the admin queue. (NVM Express 1.4, 4.1)
#pragma once

#include <backplane/declaration.h>

#include <array>
#include <cstdint>

namespace backplane::storage::nvme {

// The admin queue and those for I/O. Each may have an MSI-X vector, of which there are 64.
inline constexpr std::uint32_t most_queues = 64;

// Of a submission queue, where the host wants weighted round robin with urgent priority class.
enum class Priority : std::uint8_t { Urgent, High, Medium, Low };

// `size` 0: there is no such queue.
struct SubmissionQueues {
    std::array<std::uint64_t, most_queues> base{};
    std::array<std::uint32_t, most_queues> size{};
    std::array<std::uint32_t, most_queues> head{}, tail{};
    std::array<std::uint16_t, most_queues> completion_queue{};
    std::array<Priority, most_queues> priority{};

    bool has(std::uint32_t queue) const { return queue < most_queues && size[queue] != 0; }
    bool is_empty(std::uint32_t queue) const { return head[queue] == tail[queue]; }
    void create(std::uint32_t queue, std::uint64_t at, std::uint32_t entries,
                std::uint16_t completes_to, Priority wanted);
    std::uint64_t take_head(std::uint32_t queue);  // its address

    // What a doorbell says. False: it cannot be so.
    bool set_tail(std::uint32_t queue, std::uint32_t value);
};

struct CompletionQueues {
    std::array<std::uint64_t, most_queues> base{};
    std::array<std::uint32_t, most_queues> size{};
    std::array<std::uint32_t, most_queues> head{}, tail{};
    std::array<std::uint32_t, most_queues> reserved{};  // entries for commands in progress
    std::array<std::uint16_t, most_queues> vector{};
    std::array<bool, most_queues> has_interrupts{}, phase{};

    bool has(std::uint32_t queue) const { return queue < most_queues && size[queue] != 0; }
    bool has_unread(std::uint32_t queue) const { return head[queue] != tail[queue]; }
    std::uint32_t unread(std::uint32_t queue) const {
        return distance(queue, head[queue], tail[queue]);
    }
    // A command may be begun: there is going to be an entry for its end.
    bool has_room(std::uint32_t queue) const {
        return unread(queue) + reserved[queue] + 1 < size[queue];
    }
    void create(std::uint32_t queue, std::uint64_t at, std::uint32_t entries);
    std::uint64_t take_tail(std::uint32_t queue);  // its address; its phase tag is `phase` before

    bool set_head(std::uint32_t queue, std::uint32_t value);

private:
    std::uint32_t distance(std::uint32_t queue, std::uint32_t from, std::uint32_t to) const {
        return to >= from ? to - from : to + size[queue] - from;
    }
};

struct Queues {
    SubmissionQueues submission;
    CompletionQueues completion;

    // `accessor` gives the Queues of a T.
    template <class T, class Accessor>
    static void declare_saved(Declaration<T>& d, Accessor queues);
};

template <class T, class Accessor>
void Queues::declare_saved(Declaration<T>& d, Accessor queues) {
    d.saved("sq.base", [queues](T& t) -> auto& { return queues(t).submission.base; });
    d.saved("sq.size", [queues](T& t) -> auto& { return queues(t).submission.size; });
    d.saved("sq.head", [queues](T& t) -> auto& { return queues(t).submission.head; });
    d.saved("sq.tail", [queues](T& t) -> auto& { return queues(t).submission.tail; });
    d.saved("sq.cq", [queues](T& t) -> auto& { return queues(t).submission.completion_queue; });
    d.saved("sq.priority", [queues](T& t) -> auto& { return queues(t).submission.priority; });
    d.saved("cq.base", [queues](T& t) -> auto& { return queues(t).completion.base; });
    d.saved("cq.size", [queues](T& t) -> auto& { return queues(t).completion.size; });
    d.saved("cq.head", [queues](T& t) -> auto& { return queues(t).completion.head; });
    d.saved("cq.tail", [queues](T& t) -> auto& { return queues(t).completion.tail; });
    d.saved("cq.reserved", [queues](T& t) -> auto& { return queues(t).completion.reserved; });
    d.saved("cq.vector", [queues](T& t) -> auto& { return queues(t).completion.vector; });
    d.saved("cq.interrupts",
            [queues](T& t) -> auto& { return queues(t).completion.has_interrupts; });
    d.saved("cq.phase", [queues](T& t) -> auto& { return queues(t).completion.phase; });
}

}  // namespace backplane::storage::nvme
