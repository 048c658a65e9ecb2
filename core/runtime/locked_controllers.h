// Stands between CPUs and their interrupt controllers, whose functions a CPU calls from its own
// thread: each call is made with the machine lock, as devices expect.
#pragma once

#include "runtime/machine_lock.h"

#include <backplane/abi/device.h>
#include <backplane/abi/interrupt_controller.h>

#include <deque>

namespace backplane::runtime {

class LockedControllers {
public:
    explicit LockedControllers(MachineLock& lock) : lock_{lock} {}

    // The same controller, with what it offers and no more.
    backplane_link wrap(backplane_link controller);

private:
    struct Controller {
        backplane_interrupt_controller functions;  // what the CPU is given
        backplane_interrupt_controller inner;
        void* object;
        MachineLock& lock;
    };

    // The function of Controller::functions that locks and calls `member` of the inner one.
    template <auto member>
    struct Locked;

    MachineLock& lock_;
    std::deque<Controller> controllers_;
};

}  // namespace backplane::runtime
