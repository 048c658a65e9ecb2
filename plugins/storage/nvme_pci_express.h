// The PCI Express capability of a function without a link, in the root complex, that can be reset
// alone. (PCI Express Base Specification 3.0, 7.8)
#pragma once

#include <backplane/pci_config.h>

#include <cstdint>

namespace backplane::storage::nvme {

class PciExpress {
public:
    // Once, after the capabilities that are declared.
    void add_to(PciConfig& config) {
        offset_ = config.add_capability(0x10, 60);
        constexpr std::uint32_t version = 2, integrated_endpoint = 9u << 4;
        config.set(offset_ + 0x02u, 2, version | integrated_endpoint);
        constexpr std::uint32_t role_based_errors = 1u << 15, function_reset = 1u << 28;
        config.set(offset_ + 0x04u, 4, role_based_errors | function_reset);
        config.allow(offset_ + device_control, 2, 0x7fff | initiate_reset);
        config.allow(offset_ + device_status, 2, 0, 0x000f);
        reset(config);
    }

    void reset(PciConfig& config) const {
        constexpr std::uint32_t relaxed_ordering = 1u << 4, no_snoop = 1u << 11,
                                read_requests_of_512 = 2u << 12;
        config.set(offset_ + device_control, 2, relaxed_ordering | no_snoop | read_requests_of_512);
        config.set(offset_ + device_status, 2, 0);
    }

    // Whether the guest has just asked for a function level reset; the bit reads as 0.
    bool take_reset(PciConfig& config) const {
        const std::uint32_t control = config.get(offset_ + device_control, 2);
        config.set(offset_ + device_control, 2, control & ~initiate_reset);
        return (control & initiate_reset) != 0;
    }

private:
    static constexpr unsigned device_control = 0x08, device_status = 0x0a;
    static constexpr std::uint32_t initiate_reset = 0x8000;

    unsigned offset_ = 0;
};

}  // namespace backplane::storage::nvme
