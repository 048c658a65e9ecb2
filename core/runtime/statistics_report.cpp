#include "runtime/statistics_report.h"

#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include <cstring>

namespace backplane::runtime {

namespace {

double seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

nlohmann::ordered_json host_usage() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return {{"user_seconds", seconds(usage.ru_utime)},
            {"system_seconds", seconds(usage.ru_stime)},
            {"peak_resident_bytes", std::uint64_t(usage.ru_maxrss) * 1024}};
}

nlohmann::ordered_json accesses(const AddressSpace& space) {
    auto list = nlohmann::ordered_json::array();
    for (const auto& mapping : space.mappings())
        list.push_back({{"window", mapping->owner},
                        {"base", mapping->base},
                        {"size", mapping->size},
                        {"reads", mapping->reads},
                        {"writes", mapping->writes}});
    return list;
}

}  // namespace

std::uint64_t cpu_statistic(const Machine& machine, const char* name) {
    std::uint64_t total = 0;
    for (const auto& cpu : machine.cpus()) {
        const auto& type = cpu->component().type();
        const auto values = cpu->component().statistics();
        for (std::size_t index = 0; index < values.size(); ++index)
            if (std::strcmp(type.statistics[index].name, name) == 0) total += values[index];
    }
    return total;
}

measure::Statistics cpu_statistics(const Machine& machine) {
    measure::Statistics all;
    for (const auto& cpu : machine.cpus()) {
        const auto& type = cpu->component().type();
        const auto values = cpu->component().statistics();
        for (std::size_t index = 0; index < values.size(); ++index)
            all[type.statistics[index].name] += values[index];
    }
    return all;
}

nlohmann::ordered_json machine_statistics(Machine& machine) {
    const MachineGuard guard{machine.lock()};
    nlohmann::ordered_json report{
        {"machine", machine.name()},
        {"guest_seconds", static_cast<double>(machine.peek_time()) / 1e9},
        {"instructions", cpu_statistic(machine, "instructions")},
        {"rep_iterations", cpu_statistic(machine, "rep_iterations")},
        {"host", host_usage()},
    };
    std::uint64_t committed = 0;
    auto& components = report["components"] = nlohmann::ordered_json::object();
    for (const auto& component : machine.components()) {
        committed += component->committed_memory();
        auto& entry = components[component->name()] = {{"type", component->type().name}};
        const auto values = component->statistics();
        for (std::size_t index = 0; index < values.size(); ++index)
            entry["statistics"][component->type().statistics[index].name] = values[index];
    }
    report["guest_memory_committed_bytes"] = committed;
    report["accesses"] = {{memory_space, accesses(machine.memory())},
                          {io_space, accesses(machine.ports())}};
    return report;
}

nlohmann::ordered_json statistics_report(Machine& machine, const SpeedMeter& speed,
                                         const std::optional<measure::JitMetrics>& jit,
                                         const Ending& ending) {
    const auto mips = speed.mips();
    auto report = machine_statistics(machine);
    report["ending"] = {{"exit_code", ending.exit_code}, {"why", ending.why}};
    report["mips"] = {{"average", mips.average}, {"p95", mips.p95}};
    report["jit"] = measure::to_json(jit);
    return report;
}

}  // namespace backplane::runtime
