// Samples of where the CPUs are, taken while control clients ask for them: a profiler that is
// attached at the first question and detached when nobody has asked for a while.
#pragma once

#include "runtime/machine.h"

#include <backplane/abi/cpu_profile.h>
#include <backplane/connection.h>

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace backplane::runtime::control {

class CpuWatch {
public:
    explicit CpuWatch(Machine& machine) : machine_{machine} {}
    CpuWatch(const CpuWatch&) = delete;
    CpuWatch& operator=(const CpuWatch&) = delete;
    // The machine exists, and does not run any more.
    ~CpuWatch();

    // Where a CPU was; what is told of it as backplane_cpu_sample says.
    struct Place {
        std::uint64_t pc, address_space;
        std::uint32_t cpu;
        std::uint8_t activity, tier, privilege, code_size;
        auto operator<=>(const Place&) const = default;
    };
    static constexpr std::size_t code_bytes = 128;
    struct Seen {
        std::uint64_t samples = 0;
        std::array<std::byte, code_bytes> code{};  // from pc on, as far as it is mapped
        std::size_t code_length = 0;
    };
    struct Findings {
        std::string why;         // nothing is sampled; empty: all CPUs are
        std::uint64_t next = 0;  // what to ask for next time
        std::uint64_t lost = 0;  // samples that were forgotten before they were asked for
        std::uint64_t idle = 0;  // requests that found a CPU with nothing to do; of all time
        std::chrono::nanoseconds period{};
        std::map<Place, Seen> places;
    };
    // [no CPU's thread, and without the machine lock] All samples since the one numbered `since`.
    [[nodiscard]] Findings take(std::uint64_t since);

private:
    using Cpu = Connection<backplane_cpu_profile>;
    using Clock = std::chrono::steady_clock;

    struct Sink {
        CpuWatch& watch;
        std::uint32_t number;
        Cpu cpu;
        backplane_cpu_profiler profiler{};
        bool is_attached = false;
    };
    struct Entry {
        Place place;
        Seen seen;
    };

    void attach();
    void attach_all();
    void detach_all();
    void sample_until_nobody_asks();
    void took(const Sink& sink, const backplane_cpu_sample& sample);

    Machine& machine_;
    std::mutex attaching_;  // one at a time attaches or detaches
    std::deque<Sink> sinks_;
    std::chrono::nanoseconds period_{};
    std::thread thread_;

    std::mutex mutex_;  // never held while a CPU is waited for
    std::condition_variable over_;
    bool is_attached_ = false, is_over_ = false;
    std::string why_;
    Clock::time_point asked_;
    std::deque<Entry> entries_;
    std::uint64_t next_ = 0;  // number of the entry behind the last
    std::atomic<std::uint64_t> idle_{0};
};

}  // namespace backplane::runtime::control
