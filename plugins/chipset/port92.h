// System control port A: the fast way to the A20 gate and to a reset. (IBM PS/2 Hardware Interface
// Technical Reference, "System Control Port A"; PIIX3 datasheet 290550, 2.5.5.1 "PORT 92")
#pragma once

#include <backplane/sdk.h>

namespace backplane::chipset {

class Port92 final : public Device {
public:
    static void declare(Declaration<Port92>& d);

    void reset(ResetKind);

private:
    std::uint64_t read(std::uint64_t offset, unsigned size) const;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);

    // The gate is open at power-on: firmware that closes it does so by itself.
    std::uint8_t control_ = 0x02;
    Line a20_;
};

}  // namespace backplane::chipset
