// The commands in progress. What is saved of one is the command as it was fetched: after a snapshot
// it is carried out again, which gives the same as carrying it out once.
#pragma once

#include "nvme_command.h"
#include "nvme_guest_buffer.h"
#include "nvme_namespace.h"

#include <backplane/declaration.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace backplane::storage::nvme {

class Controller;

// What a command wants from images; some do it in several steps.
enum class Task : std::uint8_t {
    None,
    Read,
    Write,
    Compare,
    WriteZeroes,
    Deallocate,
    Verify,
    Flush
};

// Of one command, while it is in progress.
struct Request {
    struct Blocks {
        std::uint64_t first, count;
    };

    Controller* controller = nullptr;
    std::size_t index = 0;  // of Requests' arrays
    Task task = Task::None;
    const Namespace* space = nullptr;  // null: all of them
    GuestBuffer buffer;
    std::vector<std::byte> data;  // what was read to be compared or verified
    std::vector<Blocks> ranges;   // to be deallocated
    std::uint64_t step = 0;       // the next one, counted as the task needs it
    backplane_block_segment segment{};
    bool is_pending = false;    // in an image
    bool is_abandoned = false;  // nobody waits for it any more
};

struct Requests {
    static constexpr std::size_t most = 256;
    // One is kept for the flush of a shutdown, which no queue asked for.
    static constexpr std::size_t of_shutdown = most - 1;
    static constexpr std::uint16_t no_queue = 0xffff;

    enum class Stage : std::uint8_t { None, Waiting, Running };

    std::array<Stage, most> stage{};
    std::array<std::array<std::uint32_t, 16>, most> command{};
    std::array<std::uint16_t, most> queue{};
    std::array<std::uint64_t, most> order{};  // in which they were fetched
    std::array<Duration, most> start{};       // of those that wait: when they begin
    std::uint64_t last_order = 0;

    std::array<Request, most> running;  // is not saved

    bool is_free(std::size_t index) const {
        return stage[index] == Stage::None && !running[index].is_pending;
    }
    Command command_of(const Request& request) const { return {command[request.index]}; }

    template <class T, class Accessor>
    static void declare_saved(Declaration<T>& d, Accessor requests);
};

template <class T, class Accessor>
void Requests::declare_saved(Declaration<T>& d, Accessor requests) {
    d.saved("requests", [requests](T& t) -> auto& { return requests(t).stage; });
    d.saved("requests.command", [requests](T& t) -> auto& { return requests(t).command; });
    d.saved("requests.queue", [requests](T& t) -> auto& { return requests(t).queue; });
    d.saved("requests.order", [requests](T& t) -> auto& { return requests(t).order; });
    d.saved("requests.start", [requests](T& t) -> auto& { return requests(t).start; });
    d.saved("requests.last", [requests](T& t) -> auto& { return requests(t).last_order; });
}

}  // namespace backplane::storage::nvme
