// The device type profiler.sampling: records where the guest's processors are, many times a second
// or every so many instructions.
#pragma once

#include "cpu_sampler.h"
#include "event_markers.h"
#include "jit_markers.h"
#include "profile/space_saving.h"
#include "recorder.h"
#include "sampling_thread.h"

#include <backplane/declaration.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

namespace backplane::profiler {

class SamplingProfiler final : public Device {
public:
    static void declare(Declaration<SamplingProfiler>& d);

    Outcome start();
    void stop();

    // backplane.reports/1
    std::uint32_t report_count();
    const backplane_report* describe_report(std::uint32_t index);
    backplane_status write_report(std::uint32_t index, const char* argument,
                                  void (*take)(void* user, const char* text, std::uint64_t length),
                                  void* user);

private:
    using HotBlocks = profile::SpaceSaving<std::uint64_t>;

    void tick(SamplingThread::Clock::time_point now);
    void hand_over();
    void note_hot_blocks(const Batch& batch);
    std::uint64_t taken(profile::Activity activity) const {
        return counts_.by_activity[static_cast<std::size_t>(activity)];
    }
    std::string hot_blocks_text(std::size_t count);
    std::vector<std::string> cpu_names() const;
    void take_markers(std::uint64_t host_time);
    std::uint64_t lost_markers() const {
        return events_.lost() + compiles_.lost() + recorder_.lost_markers();
    }

    // Properties.
    Hertz frequency_{1000};
    std::uint64_t instructions_ = 0;
    std::uint32_t flush_samples_ = 20'000;
    std::filesystem::path file_;
    std::uint32_t hot_block_count_ = 256;
    bool counts_blocks_ = false, marks_compiles_ = true, marks_interrupts_ = true,
         marks_page_faults_ = true, marks_disks_ = true;
    std::uint64_t most_markers_ = 200'000;
    std::uint32_t callers_ = 64;
    std::filesystem::path kernel_symbols_;
    std::string user_symbols_;

    std::vector<Connection<backplane_cpu_profile>> cpus_;
    Connection<backplane_address_space> memory_;
    SampleCounts counts_;
    std::deque<CpuSampler> samplers_;
    Recorder recorder_;
    JitMarkers compiles_;
    EventMarkers events_;
    Batch markers_;  // of the sampling thread
    SamplingThread thread_;
    SamplingThread::Clock::time_point handed_over_;

    std::mutex hot_mutex_;
    HotBlocks hot_blocks_{0};
};

}  // namespace backplane::profiler
