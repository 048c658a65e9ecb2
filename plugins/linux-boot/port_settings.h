// What firmware would have written into I/O ports before it starts a kernel, as text.
#pragma once

#include <backplane/address_space.h>

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace backplane::linux_boot {

struct PortSetting {
    std::uint16_t port = 0;
    std::uint8_t value = 0;
    bool operator==(const PortSetting&) const = default;
};

// "d6=c0 d4=0": port and byte in hexadecimal. The error is a sentence.
std::expected<std::vector<PortSetting>, std::string> parse_port_settings(const std::string& text);

// In their order.
void write_port_settings(const std::vector<PortSetting>& settings, const AddressSpace& io);

}  // namespace backplane::linux_boot
