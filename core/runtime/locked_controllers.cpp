#include "runtime/locked_controllers.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace backplane::runtime {

template <class Result, class... Arguments,
          Result (*backplane_interrupt_controller::*member)(void*, Arguments...)>
struct LockedControllers::Locked<member> {
    static Result call(void* object, Arguments... arguments) {
        const auto& controller = *static_cast<Controller*>(object);
        const MachineGuard guard{controller.lock};
        return (controller.inner.*member)(controller.object, arguments...);
    }

    static void offer(Controller& controller,
                      Result (*function)(void*, Arguments...) = &Locked::call) {
        if (controller.inner.*member != nullptr) controller.functions.*member = function;
    }
};

std::int32_t LockedControllers::acknowledge(void* object) {
    const auto& controller = *static_cast<Controller*>(object);
    const MachineGuard guard{controller.lock};
    const std::int32_t vector = controller.inner.acknowledge(controller.object);
    if (vector < 0 || !controller.events.taken.wanted()) return vector;
    InterruptTaken taken{};
    taken.origin = controller.events.origin(controller.name);
    put_event_name(taken.target, controller.user);
    taken.vector = static_cast<std::uint32_t>(vector);
    controller.events.taken.publish(taken);
    return vector;
}

std::uint64_t LockedControllers::read(void* object, std::uint64_t offset, std::uint32_t size) {
    const auto& controller = *static_cast<Controller*>(object);
    const MachineGuard guard{controller.lock};
    ObservedAccess access{&controller.events, controller.registers, offset, size,
                          BACKPLANE_ACCESS_MEMORY | BACKPLANE_ACCESS_READ};
    const std::uint64_t value = controller.inner.read(controller.object, offset, size);
    access.note_value(value);
    return value;
}

void LockedControllers::write(void* object, std::uint64_t offset, std::uint32_t size,
                              std::uint64_t value) {
    const auto& controller = *static_cast<Controller*>(object);
    const MachineGuard guard{controller.lock};
    ObservedAccess access{&controller.events, controller.registers, offset, size,
                          BACKPLANE_ACCESS_MEMORY | BACKPLANE_ACCESS_WRITE};
    access.note_value(value);
    controller.inner.write(controller.object, offset, size, value);
}

backplane_link LockedControllers::wrap(backplane_link link, const std::string& name,
                                       std::string user) {
    Controller& controller = controllers_.emplace_back(Controller{.functions = {},
                                                                  .inner = {},
                                                                  .object = link.object,
                                                                  .lock = lock_,
                                                                  .events = events_,
                                                                  .name = name,
                                                                  .registers = name + ".registers",
                                                                  .user = std::move(user)});
    const auto& offered = *static_cast<const backplane_interrupt_controller*>(link.functions);
    std::memcpy(&controller.inner, &offered,
                std::min<std::size_t>(offered.struct_size, sizeof controller.inner));
    controller.functions.struct_size = sizeof controller.functions;
    using Functions = backplane_interrupt_controller;
    Locked<&Functions::acknowledge>::offer(controller, &acknowledge);
    Locked<&Functions::read>::offer(controller, &read);
    Locked<&Functions::write>::offer(controller, &write);
    Locked<&Functions::read_msr>::offer(controller);
    Locked<&Functions::write_msr>::offer(controller);
    Locked<&Functions::task_priority>::offer(controller);
    Locked<&Functions::set_task_priority>::offer(controller);
    Locked<&Functions::take_startup>::offer(controller);
    return {&controller.functions, &controller};
}

}  // namespace backplane::runtime
