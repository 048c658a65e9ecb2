// How commands are fetched from submission queues, and answered in completion queues.
#include "nvme_controller.h"

#include <algorithm>
#include <atomic>

namespace backplane::storage::nvme {

// What images answer at once, they do within this; a guest with many commands gets its processor
// back in between.
void Controller::work() {
    if (is_working_) return;
    const OnTheBus guard{*this};
    is_working_ = true;
    unsigned left = most_at_once;
    while (left != 0 && give_turns(left)) {
    }
    is_working_ = false;
    send_events();
    if (left == 0) work_timer_.start_after(Duration{0});
}

// A command is fetched when there is a place for its answer already.
bool Controller::begin_next(std::uint32_t queue) {
    if (!is_enabled() || !pci_.is_master()) return false;
    if (!queues_.submission.has(queue) || deletes_[queue] != nullptr) return false;
    if (has_shadow(queue)) look_at_shadow_tail(queue);
    if (queues_.submission.is_empty(queue)) return false;
    const std::uint16_t completion_queue = queues_.submission.completion_queue[queue];
    if (has_shadow(queue) && !queues_.completion.has_room(completion_queue))
        look_at_shadow_head(completion_queue);
    if (!queues_.completion.has_room(completion_queue)) return false;
    std::size_t index = 0;
    while (index < Requests::of_shutdown && !requests_.is_free(index))
        ++index;
    if (index == Requests::of_shutdown) return false;

    Request& request = requests_.running[index];
    const std::uint64_t address = queues_.submission.take_head(queue);
    pci_.memory().read(address, std::as_writable_bytes(std::span{requests_.command[index]}));
    requests_.queue[index] = static_cast<std::uint16_t>(queue);
    requests_.order[index] = ++requests_.last_order;
    ++queues_.completion.reserved[completion_queue];
    ++commands_;
    begin(request);
    return true;
}

void Controller::begin(Request& request) {
    if (requests_.queue[request.index] == 0 || access_time_ == Duration{0}) return run(request);
    requests_.stage[request.index] = Requests::Stage::Waiting;
    requests_.start[request.index] = now() + access_time_;
    if (!access_timer_.is_running()) access_timer_.start_at(requests_.start[request.index]);
}

void Controller::run(Request& request) {
    requests_.stage[request.index] = Requests::Stage::Running;
    requests_.start[request.index] = {};
    const Command command = requests_.command_of(request);
    const Result result = requests_.queue[request.index] == 0 ? run_admin(request, command)
                                                              : run_io(request, command);
    if (result) answer(request, result->status, result->result);
}

std::vector<std::size_t> Controller::in_order(Requests::Stage stage) const {
    std::vector<std::size_t> indices;
    for (std::size_t index = 0; index < Requests::most; ++index)
        if (requests_.stage[index] == stage) indices.push_back(index);
    std::ranges::sort(indices, {}, [&](std::size_t index) { return requests_.order[index]; });
    return indices;
}

void Controller::start_waiting() {
    const OnTheBus guard{*this};
    for (const std::size_t index : in_order(Requests::Stage::Waiting)) {
        if (requests_.stage[index] != Requests::Stage::Waiting) continue;
        if (requests_.start[index] > now()) break;
        run(requests_.running[index]);
    }
    start_timer_of_waiting();
    work();
}

void Controller::start_timer_of_waiting() {
    const auto waiting = in_order(Requests::Stage::Waiting);
    if (waiting.empty())
        access_timer_.stop();
    else
        access_timer_.start_at(requests_.start[waiting.front()]);
}

void Controller::answer(Request& request, Status status, std::uint32_t result) {
    const Command command = requests_.command_of(request);
    const std::uint16_t queue = requests_.queue[request.index];
    release(request);
    if (queue == Requests::no_queue) {
        csts_ = (csts_ & ~CSTS::SHST) | CSTS::shutdown_complete;
        return;
    }
    if (status != Status::Success) status = log_error(queue, command, status);
    --queues_.completion.reserved[queues_.submission.completion_queue[queue]];
    post(queue, command.id(), status, result);
    delete_if_idle(queue);
}

void Controller::release(Request& request) {
    requests_.stage[request.index] = Requests::Stage::None;
    requests_.command[request.index] = {};
    requests_.queue[request.index] = 0;
    requests_.order[request.index] = 0;
    requests_.start[request.index] = {};
    if (!request.is_pending) {
        request.buffer.clear();
        request.data = {};
        request.ranges.clear();
    }
}

Status Controller::log_error(std::uint16_t queue, const Command& command, Status status) {
    ++failures_;
    if (is_media_error(status)) ++health_.media_errors;
    errors_.add({.submission_queue = queue,
                 .command_id = command.id(),
                 .status = static_cast<std::uint16_t>(bits(status) << 1),
                 .lba = queue == 0 ? 0 : command.slba(),
                 .namespace_id = command.namespace_id()});
    return static_cast<Status>(bits(status) | more);
}

// The phase tag tells that the rest is there: it is written last.
void Controller::post(std::uint16_t queue, std::uint16_t command_id, Status status,
                      std::uint32_t result) {
    const std::uint16_t to = queues_.submission.completion_queue[queue];
    const bool phase = queues_.completion.phase[to];
    const std::uint64_t address = queues_.completion.take_tail(to);
    const Completion entry{
        .result = result,
        .reserved = 0,
        .submission_head = static_cast<std::uint16_t>(queues_.submission.head[queue]),
        .submission_queue = queue,
        .command_id = command_id,
        .status_and_phase = static_cast<std::uint16_t>(bits(status) << 1 | unsigned{phase})};
    const auto bytes = std::as_bytes(std::span{&entry, 1});
    constexpr std::size_t with_phase = 12;
    pci_.write(address, bytes.first(with_phase));
    std::atomic_thread_fence(std::memory_order_release);
    pci_.write(address + with_phase, bytes.subspan(with_phase));
    // The pin falls only when it is known what the host has read.
    if (has_shadow(to) && !pci_.has_messages()) ask_for_head(to);
    interrupts_.posted(to);
}

void Controller::coalescing_ended() {
    const OnTheBus guard{*this};
    interrupts_.coalescing_ended();
}

void Controller::send_events() {
    while (is_enabled() && pci_.is_master() && events_.has_answer() &&
           queues_.completion.has_room(0)) {
        const Events::Answer event = events_.take_answer();
        post(0, event.command_id, Status::Success, event.result);
    }
}

// After a snapshot was loaded.
void Controller::repeat_interrupted() {
    const OnTheBus guard{*this};
    for (const std::size_t index : in_order(Requests::Stage::Running))
        if (!requests_.running[index].is_pending) run(requests_.running[index]);
    // A reset that waited for requests of the machine that was saved.
    if (is_resetting_ && abandoned_ == 0) finish_reset();
    work();
}

}  // namespace backplane::storage::nvme
