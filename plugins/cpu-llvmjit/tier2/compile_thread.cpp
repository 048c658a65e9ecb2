#include "tier2/compile_thread.h"

#include <chrono>
#include <utility>

namespace backplane::jit::tier2 {

std::shared_ptr<CompileThread> CompileThread::shared() {
    static std::mutex mutex;
    static std::weak_ptr<CompileThread> known;
    const std::scoped_lock lock{mutex};
    if (auto thread = known.lock()) return thread;
    auto thread = std::make_shared<CompileThread>();
    known = thread;
    return thread;
}

CompileThread::CompileThread() : thread_{[this] { run(); }} {}

CompileThread::~CompileThread() {
    {
        const std::scoped_lock lock{mutex_};
        ends_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void CompileThread::add(std::shared_ptr<CompileJob> job) {
    {
        const std::scoped_lock lock{mutex_};
        jobs_.push_back(std::move(job));
    }
    changed_.notify_one();
}

void CompileThread::run() {
    using clock = std::chrono::steady_clock;
    std::optional<CodeGenerator> generator;
    for (;;) {
        std::shared_ptr<CompileJob> job;
        {
            std::unique_lock lock{mutex_};
            changed_.wait(lock, [this] { return ends_ || !jobs_.empty(); });
            if (ends_) return;
            job = std::move(jobs_.front());
            jobs_.pop_front();
        }
        if (!job->is_wanted) continue;
        const auto began = clock::now();
        if (!generator) generator.emplace();
        job->object = generator->generate(job->region);
        const std::chrono::nanoseconds taken = clock::now() - began;
        job->nanoseconds = static_cast<std::uint64_t>(taken.count());
        job->is_done.store(true, std::memory_order_release);
    }
}

}  // namespace backplane::jit::tier2
