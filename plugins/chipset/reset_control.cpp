#include "reset_control.h"

namespace backplane::chipset {

constexpr std::uint8_t system_reset = 0x02;
constexpr std::uint8_t reset_cpu = 0x04;
constexpr std::uint8_t full_reset = 0x08;

void ResetControl::declare(Declaration<ResetControl>& d)
{
    d.type("chipset.reset-control", "Reset control register");
    d.port_window<&ResetControl::read, &ResetControl::write>("control", 1, "The register, at port 0xCF9", 1)
        .reg(0, "RC", "Bit 2: reset on a rising edge; bit 1: of the whole system; bit 3: with a power cycle");
    d.saved("RC", &ResetControl::control_);
}

std::uint64_t ResetControl::read(std::uint64_t, unsigned) const { return control_; }

void ResetControl::write(std::uint64_t, unsigned, std::uint64_t value)
{
    const bool rising = (value & reset_cpu) != 0 && (control_ & reset_cpu) == 0;
    control_ = static_cast<std::uint8_t>(value & (system_reset | reset_cpu | full_reset));
    if (rising) request_reset("port 0xCF9");
}

}  // namespace backplane::chipset
