// The handlers of interrupts that one processor is in, from what it tells of interrupts and IRET.
#pragma once

#include <backplane/machine_events.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace backplane::profiler {

// A handler ends with the IRET that goes back to where the interrupt came in. A kernel may have
// another thread go on instead: then it ends when the processor goes back to a program, or halts.
class OpenInterrupts {
public:
    // `ended` is called with each one that is over, the innermost first.
    template <class Ended>
    void began(const CpuInterrupt& interrupt, Ended ended) {
        if (interrupt.privilege == user) end_all(ended);
        // Threads that never come back leave theirs open.
        constexpr std::size_t most = 16;
        if (open_.size() == most) end_all(ended);
        open_.push_back(interrupt);
    }

    template <class Ended>
    void returned(const CpuInterruptReturn& event, Ended ended) {
        std::size_t left = open_.size();
        if (event.privilege == user) {
            left = 0;
        } else {
            while (left > 0 && !is_return_of(event, open_[left - 1]))
                --left;
            if (left == 0) return;  // that of an exception
            --left;
        }
        end_down_to(left, ended);
    }

    template <class Ended>
    void end_all(Ended ended) {
        end_down_to(0, ended);
    }

    // How many are open.
    std::size_t depth() const { return open_.size(); }

private:
    static constexpr unsigned user = 3;

    static bool is_return_of(const CpuInterruptReturn& event, const CpuInterrupt& interrupt) {
        return event.privilege == interrupt.privilege &&
               event.stack_pointer == interrupt.stack_pointer;
    }

    template <class Ended>
    void end_down_to(std::size_t count, Ended ended) {
        while (open_.size() > count) {
            const CpuInterrupt interrupt = open_.back();
            open_.pop_back();
            ended(interrupt);
        }
    }

    std::vector<CpuInterrupt> open_;
};

}  // namespace backplane::profiler
