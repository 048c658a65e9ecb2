// The settings that Get Features and Set Features are about. None outlives a controller reset.
// (NVM Express 1.4, 5.21.1)
#pragma once

#include "nvme_queues.h"

#include <backplane/declaration.h>

#include <array>
#include <cstdint>

namespace backplane::storage::nvme {

enum class Feature : std::uint8_t {
    Arbitration = 0x01,
    PowerManagement = 0x02,
    TemperatureThreshold = 0x04,
    ErrorRecovery = 0x05,
    VolatileWriteCache = 0x06,
    NumberOfQueues = 0x07,
    InterruptCoalescing = 0x08,
    InterruptVectorConfiguration = 0x09,
    WriteAtomicity = 0x0a,
    AsynchronousEventConfiguration = 0x0b
};

struct Features {
    // Bits of the event configuration that mean something here: critical warnings that there can
    // be, namespace attribute notices.
    static constexpr std::uint32_t temperature_warning = 1u << 1, namespace_notices = 1u << 8;
    static constexpr std::uint32_t events_supported = 0x1f | namespace_notices;

    std::uint32_t arbitration = 6;  // burst: 2 to the power of this many; 7 is no limit
    std::uint32_t power_management = 0;
    std::uint16_t over_temperature = 0xffff, under_temperature = 0;
    std::uint32_t error_recovery = 0;
    bool write_cache = true;
    std::uint32_t interrupt_coalescing = 0;
    std::array<bool, most_queues> not_coalesced{};  // by interrupt vector
    std::uint32_t write_atomicity = 0;
    std::uint32_t event_configuration = 0;

    template <class T, class Accessor>
    static void declare_saved(Declaration<T>& d, Accessor features);
};

template <class T, class Accessor>
void Features::declare_saved(Declaration<T>& d, Accessor features) {
    d.saved("arbitration", [features](T& t) -> auto& { return features(t).arbitration; });
    d.saved("power-management", [features](T& t) -> auto& { return features(t).power_management; });
    d.saved("over-temperature", [features](T& t) -> auto& { return features(t).over_temperature; });
    d.saved("under-temperature",
            [features](T& t) -> auto& { return features(t).under_temperature; });
    d.saved("error-recovery", [features](T& t) -> auto& { return features(t).error_recovery; });
    d.saved("write-cache", [features](T& t) -> auto& { return features(t).write_cache; });
    d.saved("interrupt-coalescing",
            [features](T& t) -> auto& { return features(t).interrupt_coalescing; });
    d.saved("not-coalesced", [features](T& t) -> auto& { return features(t).not_coalesced; });
    d.saved("write-atomicity", [features](T& t) -> auto& { return features(t).write_atomicity; });
    d.saved("event-configuration",
            [features](T& t) -> auto& { return features(t).event_configuration; });
}

}  // namespace backplane::storage::nvme
