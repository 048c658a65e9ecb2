// What firmware would have written into configuration registers of PCI bus 0 before it starts a
// kernel, as text.
#pragma once

#include <backplane/address_space.h>

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

namespace backplane::linux_boot {

struct PciSetting {
    std::uint8_t device = 0, function = 0, offset = 0, size = 1;
    std::uint32_t value = 0;
    bool operator==(const PciSetting&) const = default;
};

// "01.3/40.l=601 01.3/80.b=1", in hexadecimal as setpci has it: b, w or l for 1, 2 or 4 bytes. The
// error is a sentence.
std::expected<std::vector<PciSetting>, std::string> parse_pci_settings(const std::string& text);

// By configuration mechanism 1 (PCI Local Bus Specification 3.0, 3.2.2.3.2).
void write_pci_settings(const std::vector<PciSetting>& settings, const AddressSpace& io);

}  // namespace backplane::linux_boot
