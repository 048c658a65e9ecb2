// Those who write whole blocks past the host's memory may be many; who has to read a block first,
// to change a part of it, is alone. Who writes need not leave on the thread on which he came.
#pragma once

#include <condition_variable>
#include <mutex>

namespace backplane::images {

class DirectGate {
public:
    void enter() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !is_closed_; });
        ++inside_;
    }
    bool try_enter() {
        const std::lock_guard lock{mutex_};
        if (is_closed_) return false;
        ++inside_;
        return true;
    }
    void leave() {
        const std::lock_guard lock{mutex_};
        --inside_;
        changed_.notify_all();
    }

    void close() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return !is_closed_; });
        is_closed_ = true;
        changed_.wait(lock, [this] { return inside_ == 0; });
    }
    void open() {
        const std::lock_guard lock{mutex_};
        is_closed_ = false;
        changed_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    unsigned inside_ = 0;
    bool is_closed_ = false;
};

}  // namespace backplane::images
