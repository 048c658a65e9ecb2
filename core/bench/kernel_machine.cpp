#include "bench/kernel_machine.h"

#include "bench/kernel_registers.h"
#include "runtime/diagnostics.h"
#include "runtime/machine_check.h"
#include "runtime/machine_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace backplane::bench {

namespace {

constexpr const char* file_name = "pf008.yaml";

// No clock that follows the host: nothing interrupts the kernel.
std::string machine_file(const EngineMode& mode) {
    return fmt::format("machine: {{name: pf008, clock: deterministic}}\n"
                       "plugins: [chipset, {}]\n"
                       "devices:\n"
                       "  cpu0: {{{}}}\n"
                       "  ram0: {{type: chipset.ram, size: {} KiB, low: memory@0, "
                       "high: null}}\n",
                       mode.plugin, mode.settings, layout::memory >> 10);
}

}  // namespace

std::expected<std::unique_ptr<KernelMachine>, Failure>
KernelMachine::make(const Kernel& kernel, const EngineMode& mode,
                    const std::vector<runtime::Override>& overrides,
                    runtime::PluginRegistry& plugins) {
    runtime::Diagnostics diagnostics;
    auto document = runtime::read_machine_file(
        file_name, overrides, diagnostics,
        [&](const auto&) -> std::expected<std::string, std::string> { return machine_file(mode); });
    for (const auto& wanted : document.plugins) {
        const auto loaded = wanted.name.empty() ? plugins.load_file(wanted.path)
                                                : plugins.load(wanted.name);
        if (!loaded) return std::unexpected{Failure{loaded.error(), true}};
    }
    const auto description = runtime::check_machine(document, plugins, diagnostics);
    std::unique_ptr<runtime::Machine> machine;
    if (description) machine = runtime::Machine::build(*description, diagnostics);
    if (!machine) return std::unexpected{Failure{.what = diagnostics.text(), .is_bad_input = true}};
    if (machine->cpus().size() != 1 || !machine->is_deterministic())
        return std::unexpected{
            Failure{.what = "the kernels need a deterministic machine with one processor",
                    .is_bad_input = true}};

    std::unique_ptr<KernelMachine> made{new KernelMachine{kernel, std::move(machine)}};
    if (auto prepared = made->prepare(); !prepared) return std::unexpected{prepared.error()};
    return made;
}

KernelMachine::KernelMachine(const Kernel& kernel, std::unique_ptr<runtime::Machine> machine)
    : kernel_{kernel}, machine_{std::move(machine)}, cpu_{*machine_->cpus()[0]},
      return_address_{layout::code + harness(kernel.size).return_offset} {}

std::expected<void, Failure> KernelMachine::prepare() {
    if (const auto ending = machine_->advance(0)) return std::unexpected{Failure{ending->why}};
    write(layout::code, harness(kernel_.size).code);
    if (kernel_.code.size() > layout::largest_kernel)
        return std::unexpected{Failure{fmt::format("{} is too large", kernel_.name)}};
    write(layout::kernel, kernel_.code);
    write(layout::page_tables, identity_map());
    write(layout::descriptors, descriptors(kernel_.size));
    for (const auto& [name, value] : registers_at_start(kernel_.size, return_address_))
        if (auto set = set_register(name, value); !set) return set;
    return measure_harness();
}

// The harness is what is retired, one by one, from behind the call to the next call.
std::expected<void, Failure> KernelMachine::measure_harness() {
    constexpr std::uint64_t at_most = 100;
    while (get_register("rip") != layout::kernel) {
        execute(1);
        if (++harness_instructions_ == at_most)
            return std::unexpected{Failure{fmt::format("{}: the kernel is not reached; {}",
                                                       kernel_.name, cpu_.describe_state())}};
    }
    // Back to where each run begins, without a call that nobody returns from.
    return set_register("rip", return_address_);
}

std::expected<KernelMachine::Run, Failure> KernelMachine::run(std::uint64_t iterations) {
    if (iterations != iterations_)
        write(layout::iterations, std::as_bytes(std::span{&iterations, 1}));
    iterations_ = iterations;
    const std::uint64_t expected = kernel_.instructions(iterations);

    execute(harness_instructions_);
    const std::uint64_t before = cpu_.instructions();
    const auto start = std::chrono::steady_clock::now();
    execute(expected);
    const auto end = std::chrono::steady_clock::now();
    if (cpu_.instructions() - before != expected || get_register("rip") != return_address_)
        return std::unexpected{explain(expected)};
    return Run{.time = end - start, .checksum = get_register("rax"), .instructions = expected};
}

// Runs the kernel once more, with HLT behind the call, to tell how many instructions it retires.
Failure KernelMachine::explain(std::uint64_t expected) {
    constexpr std::byte hlt{0xf4};
    constexpr std::uint64_t many = 16;
    const std::string what = fmt::format("expected {} retired instructions, observed ", expected);
    (void)set_register("rip", return_address_);
    execute(harness_instructions_);
    write(return_address_, std::span{&hlt, 1});
    const std::uint64_t before = cpu_.instructions();
    if (execute(many * expected) != BACKPLANE_CPU_HALTED_FOR_GOOD)
        return {fmt::format("{}more than {}", what, many * expected)};
    const std::uint64_t halt = 1;
    return {fmt::format("{}{}", what, cpu_.instructions() - before - halt)};
}

// As the machine's own thread does it.
backplane_cpu_exit KernelMachine::execute(std::uint64_t instructions) {
    machine_->exclusive().enter();
    const backplane_cpu_exit exit = cpu_.run(static_cast<std::int64_t>(instructions));
    machine_->exclusive().leave();
    return exit;
}

std::expected<void, Failure> KernelMachine::set_register(const std::string& name,
                                                         std::uint64_t value) {
    std::vector<std::byte> bytes(cpu_.get_register(name).size());
    std::memcpy(bytes.data(), &value, std::min(bytes.size(), sizeof value));
    if (!bytes.empty() && cpu_.set_register(name, bytes)) return {};
    return std::unexpected{
        Failure{fmt::format("the processor does not take {:#x} in its register {}", value, name)}};
}

std::uint64_t KernelMachine::get_register(const char* name) const {
    const auto bytes = cpu_.get_register(name);
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), std::min(bytes.size(), sizeof value));
    return value;
}

void KernelMachine::write(std::uint64_t address, std::span<const std::byte> bytes) {
    const runtime::MachineGuard guard{machine_->lock()};
    machine_->memory().write_block(address, bytes.data(), bytes.size());
}

std::map<std::string, std::uint64_t> KernelMachine::statistics() const {
    std::map<std::string, std::uint64_t> all;
    const runtime::Component& component = cpu_.component();
    const auto values = component.statistics();
    for (std::size_t index = 0; index < values.size(); ++index)
        all[component.type().statistics[index].name] = values[index];
    return all;
}

}  // namespace backplane::bench
