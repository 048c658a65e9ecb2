#include "port92.h"

namespace backplane::chipset {

constexpr std::uint8_t fast_reset = 0x01;
constexpr std::uint8_t fast_a20 = 0x02;

void Port92::declare(Declaration<Port92>& d) {
    d.type("chipset.port92", "System control port A: fast A20 gate and reset");
    d.port_window<&Port92::read, &Port92::write>("control", 1, "The register, at port 0x92", 1)
        .reg(0, "PORT92", "Bit 0: reset on a rising edge; bit 1: A20 gate");
    d.line_output("a20", &Port92::a20_, "High while address bit 20 is let through");
    d.saved("PORT92", &Port92::control_);
}

void Port92::reset(ResetKind) {
    control_ = fast_a20;
    a20_.drive(true);
}

std::uint64_t Port92::read(std::uint64_t, unsigned) const { return control_; }

void Port92::write(std::uint64_t, unsigned, std::uint64_t value) {
    const bool rising = (value & fast_reset) != 0 && (control_ & fast_reset) == 0;
    control_ = static_cast<std::uint8_t>(value);
    a20_.drive((control_ & fast_a20) != 0);
    if (rising) request_reset("port 0x92");
}

}  // namespace backplane::chipset
