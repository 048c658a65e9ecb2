#include "cli/run_figures.h"

#include "runtime/statistics_report.h"

#include <cstdint>
#include <utility>

namespace backplane::cli {

namespace {

constexpr const char* committed_name = "guest_memory_committed_bytes";

bool is_kept(const std::string& name) {
    return name.starts_with("jit.") || name == "instructions" || name == "rep_iterations" ||
           name == "mmu_translate_calls" || name == "jit_exit_mmio_calls";
}

}  // namespace

RunFigures::RunFigures(runtime::Machine& machine, History history)
    : machine_{machine}, history_{history} {
    if (history_ == History::Drop) return;
    for (const auto& [name, value] : runtime::cpu_statistics(machine_))
        if (is_kept(name)) kept_.names.push_back(name);
    if (history_ == History::KeepWithMemory) kept_.names.emplace_back(committed_name);
}

void RunFigures::sample() {
    const std::lock_guard guard{mutex_};
    const auto now = std::chrono::steady_clock::now();
    const measure::Statistics statistics = runtime::cpu_statistics(machine_);
    const auto instructions = statistics.find("instructions");
    speed_.sample(instructions == statistics.end() ? 0 : instructions->second, now);
    jit_.add(statistics, now);
    if (history_ != History::Drop) keep(statistics, now);
}

std::uint64_t RunFigures::committed_memory(Clock::time_point now) {
    constexpr std::chrono::seconds between{1};
    if (memory_looked_at_ && now - *memory_looked_at_ < between) return memory_;
    memory_looked_at_ = now;
    memory_ = 0;
    const runtime::MachineGuard guard{machine_.lock()};
    for (const auto& component : machine_.components())
        memory_ += component->committed_memory();
    return memory_;
}

void RunFigures::keep(const measure::Statistics& statistics, Clock::time_point now) {
    const auto since = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch());
    profile::StatisticsHistory::Sample sample{
        .host_time = static_cast<std::uint64_t>(since.count()), .values = {}};
    for (const std::string& name : kept_.names)
        sample.values.push_back(name == committed_name ? committed_memory(now)
                                                       : statistics.at(name));
    kept_.samples.push_back(std::move(sample));
}

}  // namespace backplane::cli
