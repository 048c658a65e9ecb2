// Tells a profiler where one processor is. Whoever asks sends the processor's thread a signal,
// whose handler notes where the thread is and ends the slice; behind the next block the thread
// works out what that was of the guest's, and tells.
#pragma once

#include "interp/activity.h"
#include "interp/block_counts.h"
#include "interp/compiler.h"
#include "interp/interpreter.h"

#include <backplane/abi/cpu_profile.h>
#include <backplane/abi/host.h>

#include <pthread.h>
#include <sys/types.h>

#include <atomic>
#include <csignal>
#include <cstdint>
#include <limits>

namespace backplane::interp {

class ProfileProbe {
public:
    // [outside run] As long as it exists it is the processor's. The host gives the time.
    ProfileProbe(Interpreter& cpu, const backplane_host& host,
                 const backplane_cpu_profiler& profiler);
    ~ProfileProbe();
    ProfileProbe(const ProfileProbe&) = delete;
    ProfileProbe& operator=(const ProfileProbe&) = delete;

    // [any] False: the processor is not in run.
    bool request();
    // [vcpu, between slices, or outside run] See backplane_cpu_profile.
    void sample_every(std::uint64_t instructions, std::uint64_t retired);
    void count_blocks(bool on);
    BlockCounts& counts() { return counts_; }

    // [vcpu] Of the run loop: around all of it, and between any two slices.
    void entered();
    void left(std::uint64_t retired);
    void look(std::uint64_t retired) {
        if (is_noted_.load(std::memory_order_relaxed) || retired >= next_) tell(retired);
    }
    // The budget of the next slice, if a sample is to come behind an instruction of it.
    std::int64_t until_counted(std::uint64_t retired, std::int64_t budget) const {
        const std::uint64_t left = next_ - retired;
        return left < static_cast<std::uint64_t>(budget) ? static_cast<std::int64_t>(left) : budget;
    }

private:
    static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

    // The processor and its thread when the signal came.
    struct Note {
        HostRegisters host;
        Activity activity = Activity::Outside;
        bool is_in_slice = false;
        const Block* block = nullptr;
        const Op* access_op = nullptr;
        std::uint64_t rip = 0, block_ip = 0, page_ip = 0, stack_pointer = 0, frame_pointer = 0;
        std::uint64_t cr3 = 0, host_time = 0;
        x86::SegmentRegister cs, ss;
        bool is_code64 = false;
        std::uint8_t cpl = 0;
    };
    // Where code or a stack is: of a segment, or flat.
    struct Segments {
        const x86::SegmentRegister& cs;
        const x86::SegmentRegister& ss;
        bool is_code64;
        std::uint64_t code(std::uint64_t ip) const;
        std::uint64_t stack(std::uint64_t pointer) const;
        std::uint8_t code_size() const;
    };

    static void on_signal(int signal, siginfo_t* info, void* context);
    void note(void* context);
    void tell(std::uint64_t retired);
    void tell_requested(backplane_cpu_sample sample);
    backplane_cpu_sample sample_of_now(std::uint64_t retired) const;
    void look_up(backplane_cpu_sample& sample) const;
    const Op* interpreted_op() const;
    void put_place(backplane_cpu_sample& sample, std::uint64_t pc, std::uint64_t stack_pointer,
                   std::uint64_t frame_pointer) const;

    Interpreter& cpu_;
    const backplane_host& host_;
    backplane_cpu_profiler profiler_;
    BlockCounts counts_;
    std::uint64_t interval_ = 0, next_ = never;  // of counted samples

    pthread_t thread_{};
    std::atomic<pid_t> thread_id_{0};
    std::atomic<bool> is_inside_{false};
    std::atomic<bool> is_pending_{false};  // a signal is on its way
    std::atomic<std::uint32_t> requests_{0};
    std::atomic<bool> is_noted_{false};  // it has come
    Note note_;
};

}  // namespace backplane::interp
