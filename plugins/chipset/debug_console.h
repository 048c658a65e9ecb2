// The port firmware and test programs print to, one byte at a time; known from Bochs and QEMU at
// port 0xE9.
#pragma once

#include <backplane/sdk.h>

namespace backplane::chipset {

class DebugConsole final : public Device {
public:
    static void declare(Declaration<DebugConsole>& d);

    void stop() { log_line(); }

private:
    std::uint64_t read(std::uint64_t, unsigned) const { return readback_; }
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    void log_line();

    std::uint8_t readback_ = 0xe9;
    Connection<backplane_character> stream_;
    std::string line_;
    std::uint64_t bytes_ = 0;
};

}  // namespace backplane::chipset
