// How a machine comes to be: components are created, windows mapped, ports connected, everything
// started.
#include "runtime/machine.h"
#include "runtime/window_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <set>
#include <string_view>
#include <utility>

namespace backplane::runtime {

std::unique_ptr<Machine> Machine::build(const MachineDescription& description,
                                        Diagnostics& diagnostics) {
    std::unique_ptr<Machine> machine{new Machine{description}};
    machine->create(description, diagnostics);
    if (diagnostics.has_errors()) return nullptr;
    machine->map_windows(description, diagnostics);
    machine->find_cpus();
    machine->connect(description, diagnostics);
    if (diagnostics.has_errors()) return nullptr;
    machine->order_resets(description);
    machine->start(description, diagnostics);
    if (diagnostics.has_errors()) return nullptr;
    return machine;
}

Component* Machine::find(const std::string& name) const {
    const auto found = std::ranges::find(components_, name,
                                         [](const auto& component) { return component->name(); });
    return found == components_.end() ? nullptr : found->get();
}

void Machine::create(const MachineDescription& description, Diagnostics& diagnostics) {
    const MachineGuard guard{lock_};
    for (const auto& wanted : description.components) {
        auto component = Component::create(*this, wanted);
        if (component)
            components_.push_back(std::move(*component));
        else
            diagnostics.error(wanted.place, component.error());
    }
}

void Machine::map_windows(const MachineDescription& description, Diagnostics& diagnostics) {
    std::vector<PlacedWindow> placed;
    for (const auto& wanted : description.components)
        for (const auto& mapping : wanted.windows)
            placed.push_back({wanted.name + "." + wanted.type->ports[mapping.port].name, &mapping,
                              find(wanted.name)->window_size(mapping.port)});
    check_windows(placed, diagnostics);
    if (diagnostics.has_errors()) return;

    const MachineGuard guard{lock_};
    std::size_t next = 0;
    for (const auto& wanted : description.components) {
        for (const auto& mapping : wanted.windows) {
            const PlacedWindow& window = placed[next++];
            if (window.size() == 0) continue;
            const backplane_link link = find(wanted.name)->provide(mapping.port, 0);
            AddressSpace& space = mapping.space == io_space ? io_ports_ : memory_;
            const auto refused = space.map(
                {.owner = window.name,
                 .base = mapping.base,
                 .size = window.size(),
                 .priority = mapping.priority,
                 .offset = mapping.offset,
                 .window = static_cast<const backplane_window*>(link.functions),
                 .object = link.object});
            if (refused) diagnostics.error(mapping.place, *refused);
        }
    }
}

void Machine::find_cpus() {
    for (const auto& component : components_) {
        const auto& type = component->type();
        for (std::uint32_t port = 0; port < type.port_count; ++port)
            if (type.ports[port].role == BACKPLANE_PROVIDES &&
                std::strcmp(type.ports[port].interface_id, BACKPLANE_CPU) == 0)
                cpus_.push_back(
                    std::make_unique<VirtualCpu>(*component, component->provide(port, 0)));
    }
}

backplane_link Machine::provider(const ComponentDescription& user, const LinkDescription& link) {
    if (link.target == memory_space) return {&AddressSpace::functions, &memory_};
    if (link.target == io_space) return {&AddressSpace::functions, &io_ports_};
    Component& target = *find(link.target);
    const backplane_link direct = target.provide(link.target_port, link.target_element);
    const std::string_view interface = target.type().ports[link.target_port].interface_id;
    if (interface == BACKPLANE_INTERRUPT_CONTROLLER)
        return controllers_.wrap(direct, target.name(), user.name);
    if (link.target == user.name && interface != BACKPLANE_LINE) return direct;
    if (interface == BACKPLANE_BLOCK) return observed_.block(direct, user.name, target.name());
    if (interface == BACKPLANE_MESSAGE_INTERRUPT)
        return observed_.messages(direct, user.name, target.name());
    if (interface != BACKPLANE_LINE) return direct;
    // An interrupt ends the sleep of a halted CPU.
    const auto cpu = std::ranges::find_if(
        cpus_, [&](const auto& each) { return &each->component() == &target; });
    return lines_.connect(
        direct,
        cpu == cpus_.end() ? std::function<void()>{} : [woken = cpu->get()] { woken->wake(); },
        {.output = user.name + "." + user.type->ports[link.port].name, .input = target.name()});
}

void Machine::connect(const MachineDescription& description, Diagnostics& diagnostics) {
    const MachineGuard guard{lock_};
    for (const auto& wanted : description.components)
        for (const auto& link : wanted.links)
            if (const auto done =
                    find(wanted.name)->connect(link.port, link.element, provider(wanted, link));
                !done)
                diagnostics.error(link.place ? link.place : wanted.place, done.error());
}

// Providers are reset before those that require them, so that a loader finds its CPU and memory in
// their reset state. Lines do not count: they go in circles, and their levels are remembered. What
// remains circular keeps the order of the machine file.
void Machine::order_resets(const MachineDescription& description) {
    std::set<std::string> done;
    std::function<void(const ComponentDescription&)> visit =
        [&](const ComponentDescription& wanted) {
            if (!done.insert(wanted.name).second) return;
            for (const auto& link : wanted.links) {
                const auto target = std::ranges::find(description.components, link.target,
                                                      &ComponentDescription::name);
                if (target == description.components.end()) continue;
                if (std::strcmp(wanted.type->ports[link.port].interface_id, BACKPLANE_LINE) != 0)
                    visit(*target);
            }
            reset_order_.push_back(find(wanted.name));
        };
    for (const auto& wanted : description.components)
        visit(wanted);
}

void Machine::start(const MachineDescription& description, Diagnostics& diagnostics) {
    const MachineGuard guard{lock_};
    for (Component* component : reset_order_) {
        if (const auto started = component->start(); started) {
            running_.push_back(component);
        } else {
            const auto wanted = std::ranges::find(description.components, component->name(),
                                                  &ComponentDescription::name);
            diagnostics.error(wanted->place, started.error());
        }
    }
}

}  // namespace backplane::runtime
