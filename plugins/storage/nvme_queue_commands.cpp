// NVM Express 1.4, 5.3 to 5.6.
#include "nvme_controller.h"

#include <utility>

namespace backplane::storage::nvme {

namespace {

struct QueueFields {
    explicit QueueFields(const Command& command)
        : id{command.cdw10() & 0xffff}, entries{(command.cdw10() >> 16) + 1},
          is_contiguous{(command.cdw11() & 1) != 0}, other{command.cdw11() >> 16} {}

    std::uint32_t id;
    std::uint32_t entries;
    bool is_contiguous;
    std::uint32_t other;  // the interrupt vector, or the completion queue
};

bool is_valid_size(std::uint32_t entries) { return entries >= 2 && entries <= largest_queue; }

}  // namespace

Controller::Result Controller::create_completion_queue(const Command& command) {
    const QueueFields fields{command};
    if (!is_valid_queue_id(fields.id) || queues_.completion.has(fields.id))
        return Answer{Status::InvalidQueueIdentifier};
    constexpr unsigned entry_shift = 4;
    if (!is_valid_size(fields.entries) || CC::iocqes(cc_) != entry_shift)
        return Answer{Status::InvalidQueueSize};
    if (fields.other >= most_queues) return Answer{Status::InvalidInterruptVector};
    if (!fields.is_contiguous) return Answer{Status::InvalidField};
    if ((command.prp1() & page_offset_mask()) != 0) return Answer{Status::PrpOffsetInvalid};
    queues_.completion.create(fields.id, command.prp1(), fields.entries);
    queues_.completion.vector[fields.id] = static_cast<std::uint16_t>(fields.other);
    queues_.completion.has_interrupts[fields.id] = (command.cdw11() & 2) != 0;
    begin_shadow_head(fields.id);
    return Answer{};
}

Controller::Result Controller::create_submission_queue(const Command& command) {
    const QueueFields fields{command};
    if (!is_valid_queue_id(fields.id) || queues_.submission.has(fields.id))
        return Answer{Status::InvalidQueueIdentifier};
    if (!is_valid_queue_id(fields.other)) return Answer{Status::InvalidQueueIdentifier};
    if (!queues_.completion.has(fields.other)) return Answer{Status::CompletionQueueInvalid};
    constexpr unsigned entry_shift = 6;
    if (!is_valid_size(fields.entries) || CC::iosqes(cc_) != entry_shift)
        return Answer{Status::InvalidQueueSize};
    if (!fields.is_contiguous) return Answer{Status::InvalidField};
    if ((command.prp1() & page_offset_mask()) != 0) return Answer{Status::PrpOffsetInvalid};
    queues_.submission.create(fields.id, command.prp1(), fields.entries,
                              static_cast<std::uint16_t>(fields.other),
                              static_cast<Priority>(command.cdw11() >> 1 & 3));
    begin_shadow_tail(fields.id);
    return Answer{};
}

Controller::Result Controller::delete_completion_queue(const Command& command) {
    const std::uint32_t id = command.cdw10() & 0xffff;
    if (!is_valid_queue_id(id) || !queues_.completion.has(id))
        return Answer{Status::InvalidQueueIdentifier};
    for (std::uint32_t queue = 1; queue < most_queues; ++queue)
        if (queues_.submission.has(queue) && queues_.submission.completion_queue[queue] == id)
            return Answer{Status::InvalidQueueDeletion};
    queues_.completion.size[id] = 0;
    interrupts_.update_pin();
    return Answer{};
}

// Answered when all its commands are: those that have not begun are so at once.
Controller::Result Controller::delete_submission_queue(Request& request, const Command& command) {
    const std::uint32_t id = command.cdw10() & 0xffff;
    if (!is_valid_queue_id(id) || !queues_.submission.has(id) || deletes_[id] != nullptr)
        return Answer{Status::InvalidQueueIdentifier};
    for (const std::size_t index : in_order(Requests::Stage::Waiting))
        if (requests_.queue[index] == id)
            answer(requests_.running[index], Status::AbortedBySqDeletion);
    deletes_[id] = &request;
    delete_if_idle(id);
    return std::nullopt;
}

void Controller::delete_if_idle(std::uint32_t queue) {
    if (queue == 0 || deletes_[queue] == nullptr) return;
    for (std::size_t index = 0; index < Requests::most; ++index)
        if (requests_.stage[index] != Requests::Stage::None && requests_.queue[index] == queue)
            return;
    queues_.submission.size[queue] = 0;
    Request& request = *std::exchange(deletes_[queue], nullptr);
    answer(request, Status::Success);
}

}  // namespace backplane::storage::nvme
