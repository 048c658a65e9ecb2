// The SMBus host registers of a PIIX4, which its power management function places and enables.
// (82371AB datasheet 290562, 7.3)
#pragma once

#include "smbus_host.h"

namespace backplane::chipset {

class Piix4Smbus final : public SmbusHost {
public:
    Piix4Smbus() : SmbusHost{Model::Piix4} {}

    static void declare(Declaration<Piix4Smbus>& d);

    void reset(ResetKind) { reset_host(); }

private:
    void set_interrupt(bool level) override { irq_.drive(level); }

    Line irq_;
};

}  // namespace backplane::chipset
