// Stands between CPUs and their interrupt controllers, whose functions a CPU calls from its own
// thread: each call is made with the machine lock, as devices expect. Interrupts taken and accesses
// to registers are events.
#pragma once

#include "runtime/machine_events.h"
#include "runtime/machine_lock.h"

#include <backplane/abi/device.h>
#include <backplane/abi/interrupt_controller.h>

#include <deque>
#include <string>

namespace backplane::runtime {

class LockedControllers {
public:
    LockedControllers(MachineLock& lock, MachineEvents& events) : lock_{lock}, events_{events} {}

    // The same controller, with what it offers and no more. `name` and `user` are components.
    backplane_link wrap(backplane_link controller, const std::string& name, std::string user);

private:
    struct Controller {
        backplane_interrupt_controller functions;  // what the CPU is given
        backplane_interrupt_controller inner;
        void* object;
        MachineLock& lock;
        MachineEvents& events;
        std::string name, registers, user;
    };

    static std::int32_t acknowledge(void* object);
    static std::uint64_t read(void* object, std::uint64_t offset, std::uint32_t size);
    static void write(void* object, std::uint64_t offset, std::uint32_t size, std::uint64_t value);

    // The function of Controller::functions that locks and calls `member` of the inner one.
    template <auto member>
    struct Locked;

    MachineLock& lock_;
    MachineEvents& events_;
    std::deque<Controller> controllers_;
};

}  // namespace backplane::runtime
