// A transfer on an SMBus as its master makes it, byte by byte: acknowledges, packet error code, and
// the time it takes. (System Management Bus Specification 2.0, section 5)
#pragma once

#include <backplane/sdk.h>

#include <cstdint>
#include <utility>
#include <vector>

namespace backplane::chipset {

struct SmbusTransfer {
    static constexpr std::uint8_t nobody = 0xff;
    using Devices = std::vector<Connection<backplane_smbus_device>>;

    explicit SmbusTransfer(const Devices& on_the_bus) : devices{on_the_bus} {}

    void begin() {
        device = nobody;
        acknowledged = true;
        code = 0;
        bytes = 0;
    }

    // START, repeated when one is under way. False, as from `write`, when nobody acknowledges, or
    // did not before: then nothing more happens on the bus.
    bool start(std::uint8_t address, bool read) {
        if (!acknowledged) return false;
        count(static_cast<std::uint8_t>(address << 1 | (read ? 1 : 0)));
        device = nobody;
        for (std::size_t index = 0; index < devices.size() && index < nobody; ++index)
            if (devices[index].call<&backplane_smbus_device::start>(address, std::int32_t{read}) !=
                    0 &&
                device == nobody)
                device = static_cast<std::uint8_t>(index);
        return acknowledged = device != nobody;
    }

    bool write(std::uint8_t value) {
        if (!acknowledged || device >= devices.size()) return false;
        count(value);
        return acknowledged = devices[device].call<&backplane_smbus_device::write>(value) != 0;
    }

    std::uint8_t read() {
        if (!acknowledged || device >= devices.size()) return 0xff;
        const std::uint8_t value = devices[device].call<&backplane_smbus_device::read>();
        count(value);
        return value;
    }

    void stop() {
        if (device < devices.size()) devices[device].call<&backplane_smbus_device::stop>();
        device = nobody;
    }

    // Nine clocks at 100 kHz for each byte since this was asked last.
    Duration take_time() { return std::chrono::microseconds{90} * std::exchange(bytes, 0u); }

    const Devices& devices;
    std::uint8_t device = nobody;  // which of them acknowledged its address
    bool acknowledged = true;
    std::uint8_t code = 0;  // packet error code of all bytes so far
    std::uint32_t bytes = 0;

private:
    // CRC-8 with x^8 + x^2 + x + 1.
    void count(std::uint8_t value) {
        ++bytes;
        code ^= value;
        for (int bit = 0; bit < 8; ++bit)
            code = static_cast<std::uint8_t>(code << 1 ^ ((code & 0x80) != 0 ? 0x07 : 0));
    }
};

}  // namespace backplane::chipset
