// Connects outputs to inputs and remembers every level, so that several outputs share an input as a
// wired OR.
#pragma once

#include "runtime/machine_events.h"
#include "runtime/machine_lock.h"

#include <backplane/abi/device.h>
#include <backplane/abi/line.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace backplane::runtime {

class InterruptLines {
public:
    // Without `events` nobody is told of changes but the inputs.
    explicit InterruptLines(MachineLock& lock, MachineEvents* events = nullptr)
        : lock_{lock}, events_{events} {}

    // For events: "com1.irq", and the component with the input.
    struct Names {
        std::string output, input;
    };

    // What an output drives, from any thread: a CPU has output lines too. Hands `link` to the
    // input's own functions when the OR of its outputs changes. `after_change` may be empty; it
    // runs after the input was told.
    backplane_link connect(backplane_link input, std::function<void()> after_change,
                           Names names = {});

    // Saved and restored as a whole, in the order of connecting. Restoring tells nobody: the
    // devices restore theirs.
    [[nodiscard]] std::vector<bool> levels() const;
    void restore(const std::vector<bool>& levels);

private:
    struct Input {
        MachineLock& lock;
        backplane_link link;
        std::function<void()> after_change;
        std::uint32_t high = 0;  // outputs that drive it high
    };

    struct Output {
        Input* input;
        MachineEvents* events;
        Names names;
        bool level = false;
    };

    static void set(void* object, std::int32_t level);
    static void tell(const Output& output);

    MachineLock& lock_;
    MachineEvents* events_;
    std::map<std::pair<const void*, void*>, Input> inputs_;
    std::deque<Output> outputs_;
};

}  // namespace backplane::runtime
