#include "runtime/exclusive_section.h"

#include <chrono>

namespace backplane::runtime {

void ExclusiveSection::enter() {
    std::unique_lock guard{mutex_};
    changed_.wait(guard, [this] { return owner_ == std::thread::id{}; });
    ++inside_;
}

void ExclusiveSection::leave() {
    const std::scoped_lock guard{mutex_};
    --inside_;
    if (owner_ != std::thread::id{}) changed_.notify_all();
}

void ExclusiveSection::begin() {
    std::unique_lock guard{mutex_};
    if (owner_ == std::this_thread::get_id()) {
        ++nesting_;
        return;
    }
    --inside_;
    if (owner_ != std::thread::id{}) changed_.notify_all();
    changed_.wait(guard, [this] { return owner_ == std::thread::id{}; });
    owner_ = std::this_thread::get_id();
    nesting_ = 1;
    // An engine may miss a request, and would see it only at the end of its slice: ask again.
    constexpr std::chrono::microseconds patience{100};
    while (inside_ != 0) {
        guard.unlock();
        interrupt_();
        guard.lock();
        changed_.wait_for(guard, patience, [this] { return inside_ == 0; });
    }
    guard.unlock();
    lock_.lock();
}

void ExclusiveSection::end() {
    if (--nesting_ != 0) return;
    lock_.unlock();
    const std::scoped_lock guard{mutex_};
    owner_ = {};
    ++inside_;
    changed_.notify_all();
}

}  // namespace backplane::runtime
