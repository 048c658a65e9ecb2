#include "runtime/virtual_cpu.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <span>
#include <string_view>

namespace backplane::runtime {

bool is_cpu(const backplane_device_type& type) {
    const std::span ports{type.ports, type.port_count};
    return std::ranges::any_of(ports, [](const backplane_port& port) {
        return port.role == BACKPLANE_PROVIDES &&
               std::string_view{port.interface_id} == BACKPLANE_CPU;
    });
}

void VirtualCpu::wake() {
    woken_ = true;
    woken_.notify_one();
}

std::vector<VirtualCpu::RegisterValue> VirtualCpu::registers() const {
    std::vector<RegisterValue> values(functions_->register_count(object_));
    for (std::uint32_t index = 0; index < values.size(); ++index) {
        const backplane_cpu_register* info = functions_->register_info(object_, index);
        values[index] = {info->name, std::vector<std::byte>(info->bytes)};
        functions_->get_register(object_, index, values[index].bytes.data());
    }
    return values;
}

std::string VirtualCpu::next_instruction() const {
    std::uint64_t rip = 0;
    for (const auto& [name, bytes] : registers())
        if (name == "rip" && bytes.size() == sizeof rip)
            std::memcpy(&rip, bytes.data(), sizeof rip);
    std::array<char, 128> text{};
    const bool readable = functions_->disassemble(object_, rip, text.data(), text.size()) != 0;
    return fmt::format("at {:#x}: {}", rip, readable ? text.data() : "(unreadable)");
}

std::string VirtualCpu::describe_state() const {
    constexpr std::size_t columns = 4;
    constexpr std::uint32_t general = 0, segments = 1, control = 2;
    std::string text;
    std::size_t column = 0;
    const auto values = registers();
    for (std::uint32_t index = 0; index < values.size(); ++index) {
        const std::uint32_t group = functions_->register_info(object_, index)->group;
        if (group != general && group != segments && group != control) continue;
        const auto& [name, bytes] = values[index];
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
