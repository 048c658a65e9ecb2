// The thread that compiles regions, for all processors of this process.
#pragma once

#include "tier2/code_generator.h"
#include "tier2/region.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace backplane::jit::tier2 {

// What is to be compiled, and what became of it once `is_done`.
struct CompileJob {
    explicit CompileJob(Region what) : region{std::move(what)} {}

    const Region region;
    std::atomic<bool> is_wanted{true}, is_done{false};
    std::optional<RegionObject> object;
    std::uint64_t nanoseconds = 0;
};

class CompileThread {
public:
    // The one of this process, which ends with the last who has it.
    static std::shared_ptr<CompileThread> shared();

    CompileThread();
    ~CompileThread();
    CompileThread(const CompileThread&) = delete;
    CompileThread& operator=(const CompileThread&) = delete;

    // [any]
    void add(std::shared_ptr<CompileJob> job);

private:
    void run();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::shared_ptr<CompileJob>> jobs_;
    bool ends_ = false;
    std::thread thread_;
};

}  // namespace backplane::jit::tier2
