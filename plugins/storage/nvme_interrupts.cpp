#include "nvme_interrupts.h"

namespace backplane::storage::nvme {

void Interrupts::reset() {
    mask_ = 0;
    held_back_ = {};
    timer_.stop();
    update_pin();
}

// The admin queue's are never held back. (5.21.1.8)
bool Interrupts::is_coalesced(std::uint32_t completion_queue) const {
    const std::uint32_t time = features_->interrupt_coalescing >> 8 & 0xff;
    return completion_queue != 0 && time != 0 && (features_->interrupt_coalescing & 0xff) != 0 &&
           !features_->not_coalesced[queues_->completion.vector[completion_queue]];
}

void Interrupts::posted(std::uint32_t completion_queue) {
    const CompletionQueues& queues = queues_->completion;
    if (!queues.has_interrupts[completion_queue]) return;
    if (!pci_->has_messages()) return update_pin();
    const std::uint32_t vector = queues.vector[completion_queue];
    if (!is_coalesced(completion_queue)) return send(vector);
    const std::uint32_t threshold = (features_->interrupt_coalescing & 0xff) + 1;
    if (++held_back_[vector] >= threshold) return send(vector);
    // The unit is 100 microseconds.
    const std::uint32_t time = features_->interrupt_coalescing >> 8 & 0xff;
    if (!timer_.is_running()) timer_.start_after(time * Duration{100'000});
}

void Interrupts::coalescing_ended() {
    for (std::uint32_t vector = 0; vector < most_queues; ++vector)
        if (held_back_[vector] != 0) send(vector);
}

// What is masked is sent when it no longer is.
void Interrupts::send(std::uint32_t vector) {
    held_back_[vector] = 0;
    if (is_masked(vector)) return;
    ++sent_;
    pci_->notify(vector);
}

bool Interrupts::has_unread(std::uint32_t vector) const {
    const CompletionQueues& queues = queues_->completion;
    for (std::uint32_t queue = 0; queue < most_queues; ++queue)
        if (queues.has(queue) && queues.vector[queue] == vector && queues.has_interrupts[queue] &&
            queues.has_unread(queue))
            return true;
    return false;
}

// There is one pin for all of them.
void Interrupts::update_pin() {
    bool level = false;
    if (!pci_->has_messages())
        for (std::uint32_t queue = 0; queue < most_queues && !level; ++queue) {
            const CompletionQueues& queues = queues_->completion;
            level = queues.has(queue) && queues.has_interrupts[queue] && queues.has_unread(queue) &&
                    !is_masked(queues.vector[queue]);
        }
    pci_->set_interrupt(level);
}

void Interrupts::set_mask(std::uint32_t vectors) {
    mask_ |= vectors;
    update_pin();
}

void Interrupts::clear_mask(std::uint32_t vectors) {
    const std::uint32_t cleared = mask_ & vectors;
    mask_ &= ~vectors;
    if (pci_->has_messages()) {
        for (std::uint32_t vector = 0; vector < 32; ++vector)
            if ((cleared >> vector & 1) != 0 && has_unread(vector)) send(vector);
    }
    update_pin();
}

}  // namespace backplane::storage::nvme
