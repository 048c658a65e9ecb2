#include "runtime/locked_controllers.h"

#include <algorithm>
#include <cstring>

namespace backplane::runtime {

template <class Result, class... Arguments,
          Result (*backplane_interrupt_controller::*member)(void*, Arguments...)>
struct LockedControllers::Locked<member> {
    static Result call(void* object, Arguments... arguments) {
        const auto& controller = *static_cast<Controller*>(object);
        const MachineGuard guard{controller.lock};
        return (controller.inner.*member)(controller.object, arguments...);
    }

    static void offer(Controller& controller) {
        if (controller.inner.*member != nullptr) controller.functions.*member = &call;
    }
};

backplane_link LockedControllers::wrap(backplane_link link) {
    Controller& controller = controllers_.emplace_back(
        Controller{.functions = {}, .inner = {}, .object = link.object, .lock = lock_});
    const auto& offered = *static_cast<const backplane_interrupt_controller*>(link.functions);
    std::memcpy(&controller.inner, &offered,
                std::min<std::size_t>(offered.struct_size, sizeof controller.inner));
    controller.functions.struct_size = sizeof controller.functions;
    using Functions = backplane_interrupt_controller;
    Locked<&Functions::acknowledge>::offer(controller);
    Locked<&Functions::read>::offer(controller);
    Locked<&Functions::write>::offer(controller);
    Locked<&Functions::read_msr>::offer(controller);
    Locked<&Functions::write_msr>::offer(controller);
    Locked<&Functions::task_priority>::offer(controller);
    Locked<&Functions::set_task_priority>::offer(controller);
    Locked<&Functions::take_startup>::offer(controller);
    return {&controller.functions, &controller};
}

}  // namespace backplane::runtime
