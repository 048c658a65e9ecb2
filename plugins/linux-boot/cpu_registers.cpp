#include "cpu_registers.h"

#include <array>
#include <cstring>
#include <sstream>

namespace backplane::linux_boot {

CpuRegisters::CpuRegisters(const Connection<backplane_cpu>& cpu) : cpu_{cpu} {
    const std::uint32_t count = cpu_.call<&backplane_cpu::register_count>();
    for (std::uint32_t index = 0; index < count; ++index) {
        index_.emplace(cpu_.call<&backplane_cpu::register_info>(index)->name, index);
    }
}

std::expected<void, std::string>
CpuRegisters::check(const std::vector<RegisterValue>& registers) const {
    for (const auto& [name, value] : registers) {
        if (!index_.contains(name))
            return std::unexpected("the CPU engine has no register \"" + name + "\"");
    }
    return {};
}

std::expected<void, std::string>
CpuRegisters::set(const std::vector<RegisterValue>& registers) const {
    for (const auto& [name, value] : registers) {
        const std::uint32_t index = index_.at(name);
        std::array<std::byte, 64> bytes{};  // as wide as any register
        std::memcpy(bytes.data(), &value, sizeof value);
        if (cpu_.call<&backplane_cpu::set_register>(index,
                                                    static_cast<const void*>(bytes.data())) == 0) {
            std::ostringstream text;
            text << "the CPU engine does not accept 0x" << std::hex << value << " in register \""
                 << name << '"';
            return std::unexpected(text.str());
        }
    }
    return {};
}

}  // namespace backplane::linux_boot
