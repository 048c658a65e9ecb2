// Reads and writes guest memory from outside, without side effects: RAM and ROM, never a device.
#pragma once

#include "runtime/control/answer.h"
#include "runtime/machine.h"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <vector>

namespace backplane::runtime::control {

// Addresses as the bus sees them; or as programs on a CPU do, if one is given: then pages are
// looked up as that CPU would now. All at rest; the error names the first address that will not do.
class GuestBytes {
public:
    explicit GuestBytes(Machine& machine, VirtualCpu* cpu = nullptr)
        : machine_{machine}, cpu_{cpu} {}

    [[nodiscard]] std::expected<std::vector<std::byte>, Error> read(std::uint64_t address,
                                                                    std::uint64_t length);
    // All or nothing. Decoded code of what is overwritten is dropped.
    [[nodiscard]] std::expected<void, Error> write(std::uint64_t address,
                                                   std::span<const std::byte> bytes);

private:
    struct Piece {
        std::uint64_t physical, length;
        const std::uint8_t* memory;
    };
    [[nodiscard]] std::expected<std::vector<Piece>, Error>
    pieces(std::uint64_t address, std::uint64_t length, bool for_writing);

    Machine& machine_;
    VirtualCpu* cpu_;
};

}  // namespace backplane::runtime::control
