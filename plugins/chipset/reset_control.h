// The reset control register at port 0xCF9. (PIIX3 datasheet 290550, 2.5.5.2 "RC-Reset Control
// Register")
//
// It lies inside PCI's CONFIG_ADDRESS, 0xCF8 to 0xCFB, which takes double words while this takes a
// byte. So the window covers all four: a double word is not for us, and must not reset the machine
// by its second byte.
#pragma once

#include <backplane/sdk.h>

namespace backplane::chipset {

class ResetControl final : public Device {
public:
    static void declare(Declaration<ResetControl>& d);

    void reset(ResetKind) { control_ = 0; }

private:
    std::uint64_t read(std::uint64_t offset, unsigned size) const;
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);

    std::uint8_t control_ = 0;
};

}  // namespace backplane::chipset
