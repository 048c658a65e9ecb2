// The samples of one processor, from its own thread and from the one that asks for them.
#pragma once

#include "profile/recording.h"
#include "stack_walk.h"

#include <backplane/connection.h>
#include <backplane/device.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace backplane::profiler {

// What was recorded since the last time.
struct Batch {
    std::vector<profile::Sample> samples;
    std::vector<profile::CodeBytes> code;
    std::vector<profile::BlockCount> blocks;
    std::vector<profile::Marker> markers;

    bool is_empty() const {
        return samples.empty() && code.empty() && blocks.empty() && markers.empty();
    }
};

struct CpuSamplerOptions {
    std::uint64_t instructions = 0;  // between two samples; 0: they are asked for
    std::uint64_t period = 0;        // nanoseconds between two requests
    bool counts_blocks = false;
    std::size_t callers = 64;  // of a sample, at most
    // Where the code of blocks that are counted is read; unconnected: it is not.
    Connection<backplane_address_space> memory{};
};

// [any] Of all processors together.
struct SampleCounts {
    std::array<std::atomic<std::uint64_t>, profile::activity_count> by_activity{};
    std::atomic<std::uint64_t> exact{0};
    std::atomic<std::uint64_t> stolen{0};  // requests while the host let others run
    std::atomic<std::size_t> waiting{0};   // that no batch has yet
};

class CpuSampler final : private GuestMemory {
public:
    using Cpu = Connection<backplane_cpu_profile>;

    CpuSampler(Cpu cpu, std::uint8_t number, const CpuSamplerOptions& options,
               SampleCounts& counts);
    CpuSampler(const CpuSampler&) = delete;
    CpuSampler& operator=(const CpuSampler&) = delete;

    // [outside run]
    Outcome attach();
    void detach();
    // [any] Asks for a sample, or notes that the processor is idle.
    void tick(std::uint64_t host_time);
    // [any]
    Batch take();

private:
    void took(const backplane_cpu_sample& sample);
    void take_code(const backplane_cpu_sample& sample);
    void take_blocks();
    void take_code(const profile::BlockCount& block, std::vector<profile::CodeBytes>& to);
    std::uint32_t weight_of(const backplane_cpu_sample& sample);
    std::size_t read(std::uint64_t linear, std::span<std::byte> bytes) override;

    Cpu cpu_;
    std::uint8_t number_;
    CpuSamplerOptions options_;
    SampleCounts& counts_;
    backplane_cpu_profiler profiler_{};
    bool is_attached_ = false;

    // Of the processor's thread.
    std::unordered_set<std::uint64_t> known_code_;
    std::unordered_map<std::uint64_t, std::uint32_t> known_blocks_;  // physical address to bytes
    std::vector<profile::CodeBytes> new_code_;
    KnownCalls known_calls_;
    std::uint64_t calls_forgotten_ = 0;  // instructions
    std::uint64_t blocks_taken_ = 0;     // host time
    std::uint64_t thread_time_ = 0;      // of the last sample

    std::mutex mutex_;
    Batch batch_;
};

}  // namespace backplane::profiler
