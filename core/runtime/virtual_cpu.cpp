#include "runtime/virtual_cpu.h"

#include "runtime/program_counter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace backplane::runtime {

bool is_cpu(const backplane_device_type& type) {
    const std::span ports{type.ports, type.port_count};
    return std::ranges::any_of(ports, [](const backplane_port& port) {
        return port.role == BACKPLANE_PROVIDES &&
               std::string_view{port.interface_id} == BACKPLANE_CPU;
    });
}

void VirtualCpu::wake() {
    {
        const std::lock_guard lock{sleep_mutex_};
        woken_ = true;
    }
    wake_up_.notify_one();
}

void VirtualCpu::prepare_sleep() {
    const std::lock_guard lock{sleep_mutex_};
    woken_ = false;
}

void VirtualCpu::sleep() {
    std::unique_lock lock{sleep_mutex_};
    wake_up_.wait(lock, [this] { return woken_; });
}

std::vector<VirtualCpu::RegisterValue> VirtualCpu::registers() const {
    std::vector<RegisterValue> values(functions_->register_count(object_));
    for (std::uint32_t index = 0; index < values.size(); ++index) {
        const backplane_cpu_register* info = functions_->register_info(object_, index);
        values[index] = {info->name, std::vector<std::byte>(info->bytes), info->group};
        functions_->get_register(object_, index, values[index].bytes.data());
    }
    return values;
}

std::optional<std::uint32_t> VirtualCpu::find_register(std::string_view name) const {
    const std::uint32_t count = functions_->register_count(object_);
    for (std::uint32_t index = 0; index < count; ++index)
        if (functions_->register_info(object_, index)->name == name) return index;
    return std::nullopt;
}

std::vector<std::byte> VirtualCpu::get_register(std::string_view name) const {
    const auto index = find_register(name);
    if (!index) return {};
    std::vector<std::byte> value(functions_->register_info(object_, *index)->bytes);
    functions_->get_register(object_, *index, value.data());
    return value;
}

bool VirtualCpu::set_register(std::string_view name, std::span<const std::byte> value) {
    const auto index = find_register(name);
    if (!index || functions_->register_info(object_, *index)->bytes != value.size()) return false;
    untold_.reset();
    return functions_->set_register(object_, *index, value.data()) != 0;
}

std::optional<std::uint64_t> VirtualCpu::translate(std::uint64_t linear) const {
    std::uint64_t physical = 0;
    if (functions_->translate(object_, linear, &physical) == 0) return std::nullopt;
    return physical;
}

bool VirtualCpu::has_debugger_support() const {
    return functions_->struct_size >= offsetof(backplane_cpu, step) + sizeof functions_->step &&
           functions_->insert_breakpoint != nullptr && functions_->remove_breakpoint != nullptr &&
           functions_->hit_breakpoint != nullptr && functions_->step != nullptr;
}

backplane_cpu_exit VirtualCpu::step(std::uint32_t flags) {
    if (!has_debugger_support()) return run(1);
    return static_cast<backplane_cpu_exit>(functions_->step(object_, flags));
}

namespace {

backplane_breakpoint to_abi(const VirtualCpu::Breakpoint& breakpoint) {
    return {.struct_size = sizeof(backplane_breakpoint),
            .kind = breakpoint.kind,
            .linear = breakpoint.linear,
            .length = breakpoint.length};
}

}  // namespace

bool VirtualCpu::insert_breakpoint(const Breakpoint& breakpoint) {
    const backplane_breakpoint wanted = to_abi(breakpoint);
    if (!has_debugger_support() || functions_->insert_breakpoint(object_, &wanted) == 0)
        return false;
    breakpoints_.push_back(breakpoint);
    return true;
}

bool VirtualCpu::remove_breakpoint(const Breakpoint& breakpoint) {
    const auto found = std::ranges::find(breakpoints_, breakpoint);
    if (found == breakpoints_.end()) return false;
    breakpoints_.erase(found);
    const backplane_breakpoint wanted = to_abi(breakpoint);
    return functions_->remove_breakpoint(object_, &wanted) != 0;
}

std::optional<VirtualCpu::Breakpoint> VirtualCpu::hit_breakpoint() const {
    backplane_breakpoint hit{.struct_size = sizeof hit, .kind = 0, .linear = 0, .length = 0};
    if (!has_debugger_support() || functions_->hit_breakpoint(object_, &hit) == 0)
        return std::nullopt;
    return Breakpoint{static_cast<backplane_breakpoint_kind>(hit.kind), hit.linear, hit.length};
}

std::optional<VirtualCpu::Breakpoint> VirtualCpu::take_untold() {
    auto hit = std::exchange(untold_, std::nullopt);
    if (hit && std::ranges::find(breakpoints_, *hit) == breakpoints_.end()) hit.reset();
    return hit;
}

bool VirtualCpu::is_in_step_range() const {
    if (step_range_.start >= step_range_.end) return false;
    const std::uint64_t place = program_counter(*this);
    return place >= step_range_.start && place < step_range_.end &&
           std::ranges::none_of(
               breakpoints_,
               [&](const Breakpoint& each) {
                   return each.kind == BACKPLANE_BREAK_EXECUTE && each.linear == place;
               });
}

std::string VirtualCpu::next_instruction() const {
    const std::uint64_t linear = program_counter(*this), rip = number_of(*this, "rip");
    std::string place = fmt::format("at {:#x}", linear);
    if (linear != rip) place += fmt::format(" = {:04x}:{:x}", number_of(*this, "cs"), rip);
    return place + ": " + disassemble(linear).text;
}

VirtualCpu::Disassembly VirtualCpu::disassemble(std::uint64_t linear) const {
    std::array<char, 128> text{};
    const std::uint32_t bytes = functions_->disassemble(object_, linear, text.data(), text.size());
    return bytes == 0 ? Disassembly{} : Disassembly{text.data(), bytes};
}

std::string VirtualCpu::describe_state() const {
    constexpr std::size_t columns = 4;
    constexpr std::uint32_t general = 0, segments = 1, control = 2;
    std::string text;
    std::size_t column = 0;
    const auto values = registers();
    for (const auto& [name, bytes, group] : values) {
        if (group != general && group != segments && group != control) continue;
        text += fmt::format("{}{:>16}=", column == 0 ? "" : " ", name);
        for (std::size_t byte = bytes.size(); byte-- > 0;)
            text += fmt::format("{:02x}", static_cast<unsigned>(bytes[byte]));
        text += std::string(2 * (8 - std::min<std::size_t>(bytes.size(), 8)), ' ');
        if (++column == columns) {
            text += '\n';
            column = 0;
        }
    }
    if (column != 0) text += '\n';
    return text + next_instruction() + '\n';
}

}  // namespace backplane::runtime
