// The running machine as commands see it: when they may touch it, and how they find its parts.
#pragma once

#include "runtime/control/answer.h"
#include "runtime/control/cpu_watch.h"
#include "runtime/control/run_state.h"
#include "runtime/machine.h"
#include "runtime/machine_description.h"

#include <backplane/connection.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane::runtime::control {

class Context {
public:
    // `told` gets every change of the run's state, on the machine's controller.
    Context(Machine& machine, const MachineDescription& description,
            std::function<void(const ordered_json& event)> told);

    [[nodiscard]] Machine& machine() { return machine_; }
    [[nodiscard]] const MachineDescription& description() const { return description_; }
    [[nodiscard]] const RunState& run_state() const { return run_state_; }
    [[nodiscard]] CpuWatch& watch() { return watch_; }

    // Calls `look` while every CPU is at an instruction boundary and no device acts: guest time
    // stands still, the machine lock is held. A run that was not disturbed otherwise repeats even
    // so. The error is that the run is over.
    [[nodiscard]] std::expected<void, Error> at_rest(const std::function<void()>& look);
    // The same for what the guest may notice. A deterministic machine does not repeat from there.
    [[nodiscard]] std::expected<void, Error> change(const std::string& command,
                                                    const std::function<void()>& act);

    struct Instant {
        std::uint64_t instructions = 0, guest_nanoseconds = 0;
    };
    // At rest.
    [[nodiscard]] Instant instant();
    // Deterministic machines: when the guest was first changed from outside, and when last since
    // this was asked.
    [[nodiscard]] const std::optional<Instant>& first_change() const { return first_change_; }
    [[nodiscard]] std::optional<Instant> take_change() {
        return std::exchange(last_change_, std::nullopt);
    }
    [[nodiscard]] static ordered_json to_json(const Instant& instant);

    [[nodiscard]] std::expected<Component*, Error> component(const std::string& name);
    [[nodiscard]] const ComponentDescription& description_of(const Component& component) const;
    // An empty name is the first CPU.
    [[nodiscard]] std::expected<VirtualCpu*, Error> cpu(const std::string& name);

    // A component that offers an interface, and the first port by which it does.
    struct Provider {
        Component* component;
        backplane_link link;
    };
    [[nodiscard]] std::vector<Provider> providers(std::string_view interface_id);
    // The one called `name`, or, when the name is empty, the only one or the one called `standard`.
    // `what` is for messages: "display".
    [[nodiscard]] std::expected<Provider, Error> provider(std::string_view interface_id,
                                                          const std::string& name,
                                                          std::string_view standard,
                                                          std::string_view what);

private:
    Machine& machine_;
    const MachineDescription& description_;
    RunState run_state_;
    std::optional<Instant> first_change_, last_change_;
    CpuWatch watch_{machine_};
};

}  // namespace backplane::runtime::control
