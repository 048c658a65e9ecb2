// The PC's pair of 8259A interrupt controllers: sixteen inputs, the slave on input 2 of the master.
#pragma once

#include "pic8259_chip.h"

#include <backplane/sdk.h>

#include <array>

namespace backplane::chipset {

class Pic8259 final : public Device {
public:
    static void declare(Declaration<Pic8259>& d);

    void reset(ResetKind);

    std::int32_t acknowledge();

private:
    template <unsigned chip>
    std::uint64_t read(std::uint64_t offset, unsigned size);
    template <unsigned chip>
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint64_t read_elcr(std::uint64_t offset, unsigned size) const;
    void write_elcr(std::uint64_t offset, unsigned size, std::uint64_t value);

    void set_input(unsigned input, bool level);
    void update();

    std::array<Pic8259Chip, 2> chips_;
    Line intr_;
    std::uint64_t acknowledged_ = 0, spurious_ = 0;
};

}  // namespace backplane::chipset
