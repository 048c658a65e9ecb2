// The SMBus controller of an ICH9, device 31 function 3. (I/O Controller Hub 9 datasheet 316972,
// chapter 19)
#pragma once

#include "smbus_host.h"

namespace backplane::chipset {

class Ich9Smbus final : public SmbusHost {
public:
    Ich9Smbus() : SmbusHost{Model::Ich9} {}

    static void declare(Declaration<Ich9Smbus>& d);

    void reset(ResetKind);

    // Until the host is enabled in configuration space its registers are not there.
    std::uint64_t read_registers(std::uint64_t offset, unsigned size);
    void write_registers(std::uint64_t offset, unsigned size, std::uint64_t value);

private:
    bool is_enabled() const;
    void config_written(unsigned offset, unsigned bytes);
    void set_interrupt(bool level) override { pci_.set_interrupt(level); }

    PciFunction pci_;
};

}  // namespace backplane::chipset
