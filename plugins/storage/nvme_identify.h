// The data structures that the Identify command returns. (NVM Express 1.4, 5.15.2)
#pragma once

#include "nvme_namespace.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace backplane::storage::nvme {

inline constexpr std::size_t identify_size = 4096;
using IdentifyData = std::array<std::byte, identify_size>;

// 2 to the power of this many smallest pages: 512 KiB in one command.
inline constexpr unsigned mdts = 7;
inline constexpr std::uint64_t largest_transfer = std::uint64_t{4096} << mdts;

// Less one, as they are said.
inline constexpr unsigned abort_limit = 3, event_request_limit = 3, error_log_entries = 15;

struct ControllerIdentity {
    std::string serial, model, firmware;
    std::uint16_t vendor, subsystem_vendor;
    std::uint32_t namespaces;
};

IdentifyData identify_controller(const ControllerIdentity& identity);
IdentifyData identify_namespace(const Namespace& space, const std::string& serial);
// The identifiers of active namespaces above `after`.
IdentifyData identify_active_namespaces(std::span<const std::unique_ptr<Namespace>> namespaces,
                                        std::uint32_t after);
IdentifyData identify_descriptors(const Namespace& space, const std::string& serial);

}  // namespace backplane::storage::nvme
