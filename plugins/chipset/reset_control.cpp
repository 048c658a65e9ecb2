#include "reset_control.h"

namespace backplane::chipset {

constexpr std::uint64_t rc_offset = 1;
constexpr std::uint8_t system_reset = 0x02;
constexpr std::uint8_t reset_cpu = 0x04;
constexpr std::uint8_t full_reset = 0x08;

void ResetControl::declare(Declaration<ResetControl>& d) {
    d.type("chipset.reset-control", "Reset control register");
    d.port_window<&ResetControl::read, &ResetControl::write>(
         "control", 4, "Ports 0xCF8 to 0xCFB, of which only byte 0xCF9 is there")
        .reg(
            rc_offset, "RC",
            "Bit 2: reset on a rising edge; bit 1: of the whole system; bit 3: with a power cycle");
    d.saved("RC", &ResetControl::control_);
}

std::uint64_t ResetControl::read(std::uint64_t offset, unsigned size) const {
    return offset == rc_offset && size == 1 ? control_ : ~std::uint64_t{0};
}

void ResetControl::write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (offset != rc_offset || size != 1) return;
    const bool rising = (value & reset_cpu) != 0 && (control_ & reset_cpu) == 0;
    control_ = static_cast<std::uint8_t>(value & (system_reset | reset_cpu | full_reset));
    if (rising) request_reset("port 0xCF9");
}

}  // namespace backplane::chipset
