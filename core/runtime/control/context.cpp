#include "runtime/control/context.h"

#include "runtime/log.h"
#include "runtime/nearest_name.h"
#include "runtime/printable_text.h"
#include "runtime/statistics_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <exception>

namespace backplane::runtime::control {

namespace {

// "there is no device 'vga'; did you mean 'vga0'?"
std::unexpected<Error> unknown(std::string_view what, const std::string& name,
                               const std::vector<std::string>& known) {
    std::string hint = did_you_mean(name, known);
    if (hint.empty()) hint = fmt::format("there are {}", fmt::join(known, ", "));
    return refuse(ErrorKind::BadArgument,
                  fmt::format("there is no {} {}; {}", what, in_quotes(name), hint));
}

}  // namespace

Context::Context(Machine& machine, const MachineDescription& description,
                 std::function<void(const ordered_json& event)> told)
    : machine_{machine}, description_{description}, run_state_{machine.control(), std::move(told)} {
}

std::expected<void, Error> Context::at_rest(const std::function<void()>& look) {
    std::exception_ptr thrown;
    const bool done = machine_.control().call([&] {
        const MachineGuard guard{machine_.lock()};
        try {
            look();
        } catch (...) {
            thrown = std::current_exception();
        }
    });
    if (thrown) std::rethrow_exception(thrown);
    if (!done) return refuse(ErrorKind::Ended, "the run is over");
    return {};
}

std::expected<void, Error> Context::change(const std::string& command,
                                           const std::function<void()>& act) {
    return at_rest([&] {
        if (machine_.is_deterministic()) {
            last_change_ = instant();
            if (!first_change_)
                write_log(BACKPLANE_LOG_WARNING, "control",
                          fmt::format("{} changes the guest from outside at instruction {}: this "
                                      "run will not repeat",
                                      command, last_change_->instructions));
            if (!first_change_) first_change_ = last_change_;
        }
        act();
    });
}

Context::Instant Context::instant() {
    return {cpu_statistic(machine_, "instructions"), machine_.peek_time()};
}

ordered_json Context::to_json(const Instant& instant) {
    return {{"instructions", instant.instructions},
            {"guest_nanoseconds", instant.guest_nanoseconds}};
}

std::expected<Component*, Error> Context::component(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& component : machine_.components()) {
        if (component->name() == name) return component.get();
        names.push_back(component->name());
    }
    return unknown("device", name, names);
}

const ComponentDescription& Context::description_of(const Component& component) const {
    return *std::ranges::find(description_.components, component.name(),
                              &ComponentDescription::name);
}

std::expected<VirtualCpu*, Error> Context::cpu(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& cpu : machine_.cpus()) {
        if (name.empty() || cpu->component().name() == name) return cpu.get();
        names.push_back(cpu->component().name());
    }
    return unknown("CPU", name, names);
}

std::vector<Context::Provider> Context::providers(std::string_view interface_id) {
    const MachineGuard guard{machine_.lock()};
    std::vector<Provider> found;
    for (const auto& component : machine_.components()) {
        const auto& type = component->type();
        for (std::uint32_t port = 0; port < type.port_count; ++port)
            if (type.ports[port].role == BACKPLANE_PROVIDES &&
                type.ports[port].interface_id == interface_id) {
                found.push_back({component.get(), component->provide(port, 0)});
                break;
            }
    }
    return found;
}

std::expected<Context::Provider, Error> Context::provider(std::string_view interface_id,
                                                          const std::string& name,
                                                          std::string_view standard,
                                                          std::string_view what) {
    const auto found = providers(interface_id);
    if (found.empty())
        return refuse(ErrorKind::NotAvailable,
                      fmt::format("this machine has no {}: none of its devices provides {}", what,
                                  interface_id));
    std::vector<std::string> names;
    for (const Provider& each : found)
        names.push_back(each.component->name());
    const std::string_view wanted = name.empty() ? standard : name;
    const auto match = std::ranges::find(names, wanted);
    if (match != names.end()) return found[static_cast<std::size_t>(match - names.begin())];
    if (!name.empty()) return unknown(what, name, names);
    if (found.size() == 1) return found[0];
    return refuse(
        ErrorKind::BadArgument,
        fmt::format("the machine has several of {}: {}; say which", what, fmt::join(names, ", ")));
}

}  // namespace backplane::runtime::control
