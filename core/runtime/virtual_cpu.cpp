#include "runtime/virtual_cpu.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace backplane::runtime {

void VirtualCpu::wake() {
    woken_ = true;
    woken_.notify_one();
}

std::string VirtualCpu::describe_state() const {
    constexpr std::size_t columns = 4;
    constexpr std::uint32_t general = 0, segments = 1, control = 2;
    std::string text;
    std::size_t column = 0;
    for (std::uint32_t index = 0; index < functions_->register_count(object_); ++index) {
        const auto* info = functions_->register_info(object_, index);
        if (info->group != general && info->group != segments && info->group != control) continue;
        std::array<std::uint8_t, 64> value{};
        if (info->bytes > value.size()) continue;
        functions_->get_register(object_, index, value.data());
        text += fmt::format("{}{:>16}=", column == 0 ? "" : " ", info->name);
        for (std::uint32_t byte = info->bytes; byte-- > 0;)
            text += fmt::format("{:02x}", value[byte]);
        text += std::string(2 * (8 - std::min<std::size_t>(info->bytes, 8)), ' ');
        if (++column == columns) {
            text += '\n';
            column = 0;
        }
    }
    if (column != 0) text += '\n';
    std::uint64_t rip = 0;
    std::array<char, 128> instruction{};
    for (std::uint32_t index = 0; index < functions_->register_count(object_); ++index) {
        const auto* info = functions_->register_info(object_, index);
        if (std::strcmp(info->name, "rip") == 0 && info->bytes == sizeof rip)
            functions_->get_register(object_, index, &rip);
    }
    if (functions_->disassemble(object_, rip, instruction.data(), instruction.size()) != 0)
        text += fmt::format("at {:#x}: {}\n", rip, instruction.data());
    return text;
}

}  // namespace backplane::runtime
