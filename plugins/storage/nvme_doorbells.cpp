// Doorbells. Where the host gave buffers for it, it writes those of I/O queues into memory, and
// rings only when it passes the index that the controller asked to be told of. (NVM Express 1.4,
// 3.1.16, 3.1.17, 5.7 and 7.13)
#include "nvme_controller.h"

#include <atomic>

namespace backplane::storage::nvme {

namespace {

// The submission queue's and the completion queue's turns.
std::uint64_t tail_offset(std::uint32_t queue) { return std::uint64_t{queue} * 8; }
std::uint64_t head_offset(std::uint32_t queue) { return std::uint64_t{queue} * 8 + 4; }

// What one side writes is seen before what it then reads: both first say, then look.
void say_before_looking() { std::atomic_thread_fence(std::memory_order_seq_cst); }

}  // namespace

void Controller::ring(std::uint64_t index, std::uint32_t value) {
    if (!is_enabled()) return;
    const auto queue = static_cast<std::uint32_t>(index / 2);
    const bool is_head = index % 2 != 0;
    if (is_head ? !queues_.completion.has(queue) : !queues_.submission.has(queue))
        return refuse_doorbell(invalid_doorbell_register);
    if (has_shadow(queue)) {
        // The value in memory is the one that counts.
        if (is_head) read_shadow_head(queue);
    } else if (is_head ? !queues_.completion.set_head(queue, value & 0xffff)
                       : !queues_.submission.set_tail(queue, value & 0xffff)) {
        return refuse_doorbell(invalid_doorbell_value);
    }
    if (is_head) interrupts_.update_pin();
    work();
}

void Controller::refuse_doorbell(const Event& event) {
    errors_.add({});
    events_.add(event);
    send_events();
}

// Values that cannot be are not there. They may come true when the host writes another.
void Controller::read_shadow_tail(std::uint32_t queue) {
    const auto tail = pci_.memory().read<std::uint32_t>(shadow_doorbells_ + tail_offset(queue));
    (void)queues_.submission.set_tail(queue, tail & 0xffff);
}

void Controller::read_shadow_head(std::uint32_t queue) {
    const auto head = pci_.memory().read<std::uint32_t>(shadow_doorbells_ + head_offset(queue));
    (void)queues_.completion.set_head(queue, head & 0xffff);
}

// The host is to ring with the next command. It may be there by now.
void Controller::look_at_shadow_tail(std::uint32_t queue) {
    read_shadow_tail(queue);
    if (!queues_.submission.is_empty(queue)) return;
    pci_.memory().write(event_indices_ + tail_offset(queue), queues_.submission.tail[queue]);
    say_before_looking();
    read_shadow_tail(queue);
}

void Controller::ask_for_head(std::uint32_t queue) {
    pci_.memory().write(event_indices_ + head_offset(queue), queues_.completion.head[queue]);
    say_before_looking();
    read_shadow_head(queue);
}

void Controller::look_at_shadow_head(std::uint32_t queue) {
    read_shadow_head(queue);
    if (!queues_.completion.has_room(queue)) ask_for_head(queue);
}

// What is in the buffers may be of other queues.
void Controller::begin_shadow_tail(std::uint32_t queue) {
    if (has_shadow(queue))
        pci_.memory().write(shadow_doorbells_ + tail_offset(queue), queues_.submission.tail[queue]);
}

void Controller::begin_shadow_head(std::uint32_t queue) {
    if (has_shadow(queue))
        pci_.memory().write(shadow_doorbells_ + head_offset(queue), queues_.completion.head[queue]);
}

Controller::Result Controller::configure_doorbell_buffer(const Command& command) {
    if (((command.prp1() | command.prp2()) & page_offset_mask()) != 0)
        return Answer{Status::InvalidField};
    shadow_doorbells_ = command.prp1();
    event_indices_ = command.prp2();
    shadow_enabled_ = true;
    for (std::uint32_t queue = 1; queue < most_queues; ++queue) {
        if (queues_.submission.has(queue)) begin_shadow_tail(queue);
        if (queues_.completion.has(queue)) begin_shadow_head(queue);
    }
    return Answer{};
}

}  // namespace backplane::storage::nvme
