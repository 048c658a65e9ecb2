// The log pages that are made when somebody reads them. (NVM Express 1.4, 5.14)
#pragma once

#include "nvme_health.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace backplane::storage::nvme {

enum class LogPage : std::uint8_t {
    ErrorInformation = 0x01,
    Health = 0x02,
    FirmwareSlot = 0x03,
    ChangedNamespaces = 0x04,
    CommandsSupported = 0x05
};

struct HealthNow {
    std::uint8_t critical_warning;
    std::uint64_t errors;
    std::uint64_t hours;
};

std::vector<std::byte> health_page(const Health& health, const HealthNow& now);
std::vector<std::byte> firmware_slot_page(const std::string& firmware);
std::vector<std::byte> changed_namespaces_page(std::span<const bool> changed);
std::vector<std::byte> commands_supported_page();

}  // namespace backplane::storage::nvme
