// NVM Express 1.4, 5.13 and 5.21.
#include "nvme_controller.h"

#include <algorithm>

namespace backplane::storage::nvme {

namespace {

// Get Features' Select.
constexpr unsigned current = 0, default_value = 1, saved_value = 2, capabilities_of = 3;

Feature feature_of(const Command& command) { return static_cast<Feature>(command.cdw10() & 0xff); }

bool exists(Feature feature) {
    return feature >= Feature::Arbitration && feature <= Feature::AsynchronousEventConfiguration &&
           feature != Feature{0x03};
}

// Of a temperature threshold: which sensor, and whether it is the upper one.
constexpr std::uint32_t sensor(std::uint32_t dword) { return dword >> 16 & 15; }
constexpr std::uint32_t threshold_kind(std::uint32_t dword) { return dword >> 20 & 3; }

}  // namespace

// Error recovery is the only one of a namespace.
Status Controller::check_feature_namespace(const Command& command) const {
    const std::uint32_t id = command.namespace_id();
    if (feature_of(command) == Feature::ErrorRecovery) {
        if (id == all_namespaces) return Status::Success;
        const Namespace* space = find_namespace(id);
        if (space == nullptr) return Status::InvalidNamespace;
        return space->is_active() ? Status::Success : Status::InvalidField;
    }
    return id == 0 || id == all_namespaces ? Status::Success : Status::FeatureNotNamespaceSpecific;
}

Controller::Result Controller::get_features(const Command& command) {
    const Feature feature = feature_of(command);
    if (!exists(feature)) return Answer{Status::InvalidField};
    if (feature == Feature::ErrorRecovery && (command.namespace_id() == all_namespaces ||
                                              check_feature_namespace(command) != Status::Success))
        return Answer{Status::InvalidNamespace};
    constexpr std::uint32_t of_namespace = 2, changeable = 4;
    switch (command.cdw10() >> 8 & 7) {
    case current: return feature_value(features_, command);
    case default_value:
    // What cannot be saved has its default there.
    case saved_value: return feature_value({}, command);
    case capabilities_of: {
        const bool is_fixed = feature == Feature::PowerManagement ||
                              feature == Feature::NumberOfQueues;
        return Answer{Status::Success, (is_fixed ? 0 : changeable) |
                                           (feature == Feature::ErrorRecovery ? of_namespace : 0)};
    }
    default: return Answer{Status::InvalidField};
    }
}

Controller::Answer Controller::feature_value(const Features& features,
                                             const Command& command) const {
    const auto value = [](std::uint32_t result) { return Answer{Status::Success, result}; };
    switch (feature_of(command)) {
    case Feature::Arbitration: return value(features.arbitration);
    case Feature::PowerManagement: return value(features.power_management);
    case Feature::TemperatureThreshold:
        if (sensor(command.cdw11()) != 0) return {Status::InvalidField};
        if (threshold_kind(command.cdw11()) > 1) return {Status::InvalidField};
        return value(threshold_kind(command.cdw11()) == 0 ? features.over_temperature
                                                          : features.under_temperature);
    case Feature::ErrorRecovery: return value(features.error_recovery);
    case Feature::VolatileWriteCache: return value(features.write_cache);
    case Feature::NumberOfQueues: return value((queue_pairs_ - 1) | (queue_pairs_ - 1) << 16);
    case Feature::InterruptCoalescing: return value(features.interrupt_coalescing);
    case Feature::InterruptVectorConfiguration: {
        const std::uint32_t vector = command.cdw11() & 0xffff;
        if (vector >= most_queues) return {Status::InvalidField};
        return value(vector | std::uint32_t{features.not_coalesced[vector]} << 16);
    }
    case Feature::WriteAtomicity: return value(features.write_atomicity);
    case Feature::AsynchronousEventConfiguration: return value(features.event_configuration);
    default: return {Status::InvalidField};
    }
}

Controller::Result Controller::set_features(Request& request, const Command& command) {
    const Feature feature = feature_of(command);
    const std::uint32_t value = command.cdw11();
    if (!exists(feature)) return Answer{Status::InvalidField};
    constexpr std::uint32_t save = 1u << 31;
    if ((command.cdw10() & save) != 0) return Answer{Status::FeatureIdentifierNotSaveable};
    if (const Status status = check_feature_namespace(command); status != Status::Success)
        return Answer{status};
    switch (feature) {
    case Feature::Arbitration: features_.arbitration = value & 0xffff'ff07; break;
    case Feature::PowerManagement:
        if ((value & 0x1f) != 0) return Answer{Status::InvalidField};
        features_.power_management = value & 0xe0;
        break;
    case Feature::TemperatureThreshold:
        // 15 means all sensors, of which there is the one.
        if (sensor(value) != 0 && sensor(value) != 15) return Answer{Status::InvalidField};
        if (threshold_kind(value) > 1) return Answer{Status::InvalidField};
        (threshold_kind(value) == 0
             ? features_.over_temperature
             : features_.under_temperature) = static_cast<std::uint16_t>(value);
        check_temperature();
        break;
    case Feature::ErrorRecovery:
        // No errors for reading deallocated blocks.
        if ((value & 1u << 16) != 0) return Answer{Status::InvalidField};
        features_.error_recovery = value & 0xffff;
        break;
    case Feature::VolatileWriteCache:
        features_.write_cache = (value & 1) != 0;
        if (features_.write_cache) break;
        // What is in it goes out first.
        request.task = Task::Flush;
        request.space = nullptr;
        start_task(request);
        return std::nullopt;
    case Feature::NumberOfQueues:
        if ((value & 0xffff) == 0xffff || value >> 16 == 0xffff)
            return Answer{Status::InvalidField};
        for (std::uint32_t queue = 1; queue < most_queues; ++queue)
            if (queues_.submission.has(queue) || queues_.completion.has(queue))
                return Answer{Status::CommandSequenceError};
        return feature_value(features_, command);
    case Feature::InterruptCoalescing: features_.interrupt_coalescing = value & 0xffff; break;
    case Feature::InterruptVectorConfiguration:
        if ((value & 0xffff) >= most_queues) return Answer{Status::InvalidField};
        features_.not_coalesced[value & 0xffff] = (value & 1u << 16) != 0;
        break;
    case Feature::WriteAtomicity: features_.write_atomicity = value & 1; break;
    case Feature::AsynchronousEventConfiguration:
        features_.event_configuration = value & Features::events_supported;
        check_temperature();
        break;
    }
    return Answer{};
}

// (5.21.1.4)
void Controller::check_temperature() {
    if ((features_.event_configuration & Features::temperature_warning) != 0 &&
        critical_warning() != 0)
        events_.add(temperature_threshold);
}

}  // namespace backplane::storage::nvme
