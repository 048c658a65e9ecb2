// A parallel port of the PC/AT, with the bidirectional data of the PS/2. (IBM PC/AT Technical
// Reference, "Serial/Parallel Adapter"; IEEE 1284-1994, compatibility mode)
//
// A printer is at its other end while the port has a stream: it takes each byte, is busy for a
// moment and acknowledges. Without one the lines float, as those of a port with nothing in it.
#pragma once

#include <backplane/sdk.h>

namespace backplane::chipset {

class Parallel final : public Device {
public:
    static void declare(Declaration<Parallel>& d);

    void reset(ResetKind);

private:
    // Of the printer, with the byte it has got.
    enum class Phase : std::uint8_t { Ready, Busy, Acknowledging };

    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint8_t status() const;
    void write_control(std::uint8_t value);
    void next_phase();

    Connection<backplane_character> stream_;
    Line irq_;
    Timer printer_;

    std::uint8_t data_ = 0, control_ = 0;
    Phase phase_ = Phase::Ready;
    std::uint8_t printing_ = 0;
    bool interrupt_ = false;  // from the end of an acknowledge until the status is read
    std::uint64_t printed_ = 0;
};

}  // namespace backplane::chipset
