#include "isa_debug_exit.h"

namespace backplane::chipset {

void IsaDebugExit::declare(Declaration<IsaDebugExit>& d) {
    d.type("chipset.isa-debug-exit", "Ends the program when the guest writes a port");
    d.port_window<&IsaDebugExit::read, &IsaDebugExit::write>(
         "exit", 4, "Writing V ends the program with exit code (V << 1) | 1")
        .reg(0, "EXIT", "V of the exit code (V << 1) | 1", 4);
}

// Odd, so that no guest can pretend the program ended well.
void IsaDebugExit::write(std::uint64_t, unsigned, std::uint64_t value) {
    const auto code = static_cast<int>((static_cast<std::uint32_t>(value) << 1) | 1);
    request_power_off(code, "the guest wrote " + std::to_string(value) + " to isa-debug-exit");
}

}  // namespace backplane::chipset
