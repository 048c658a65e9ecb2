// Whose commands are begun next. (NVM Express 1.4, 4.13)
#include "nvme_controller.h"

#include <algorithm>

namespace backplane::storage::nvme {

// Whether any queue used its turn.
bool Controller::give_turns(unsigned& left) {
    return CC::ams(cc_) == CC::weighted_round_robin ? give_turns_by_priority(left)
                                                    : give_each_queue_a_turn(left);
}

// As many commands as a queue may have begun at a time.
unsigned Controller::burst() const {
    const unsigned exponent = features_.arbitration & 7;
    return exponent == 7 ? most_at_once : 1u << exponent;
}

unsigned Controller::begin_some(std::uint32_t queue, unsigned most) {
    unsigned count = 0;
    while (count < most && begin_next(queue))
        ++count;
    return count;
}

bool Controller::give_each_queue_a_turn(unsigned& left) {
    const unsigned before = left;
    for (std::uint32_t turn = 0; turn <= queue_pairs_; ++turn) {
        const std::uint32_t queue = next_queue_;
        next_queue_ = queue >= queue_pairs_ ? 0 : queue + 1;
        left -= begin_some(queue, std::min(burst(), left));
    }
    return left != before;
}

// The admin queue is first, then the urgent ones; the others share by the weights of their classes.
bool Controller::give_turns_by_priority(unsigned& left) {
    const unsigned before = left;
    left -= begin_some(0, left);
    if (left == before) left -= begin_of_class(Priority::Urgent, left);
    for (int count = 0; count < 3 && left == before; ++count) {
        const Priority priority = next_class_;
        next_class_ = priority == Priority::Low
                          ? Priority::High
                          : static_cast<Priority>(static_cast<unsigned>(priority) + 1);
        left -= begin_of_class(priority, std::min(left, weight(priority)));
    }
    return left != before;
}

// Commands that a class may have begun before the next one's turn.
unsigned Controller::weight(Priority priority) const {
    const unsigned shift = priority == Priority::High ? 24 : priority == Priority::Medium ? 16 : 8;
    return (features_.arbitration >> shift & 0xff) + 1;
}

unsigned Controller::begin_of_class(Priority priority, unsigned most) {
    std::uint32_t& next = next_of_class_[static_cast<std::size_t>(priority)];
    unsigned begun = 0;
    for (bool is_used = true; is_used && begun < most;) {
        is_used = false;
        for (std::uint32_t turn = 0; turn <= queue_pairs_ && begun < most; ++turn) {
            const std::uint32_t queue = next;
            next = queue >= queue_pairs_ ? 0 : queue + 1;
            if (queue == 0 || queues_.submission.priority[queue] != priority) continue;
            const unsigned count = begin_some(queue, std::min(burst(), most - begun));
            begun += count;
            is_used = is_used || count != 0;
        }
    }
    return begun;
}

}  // namespace backplane::storage::nvme
