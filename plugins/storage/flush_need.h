// Whether there is anything to flush: a file system asks more often than it writes.
#pragma once

#include <atomic>
#include <cstdint>

namespace backplane::storage {

// [any]
class FlushNeed {
public:
    // After every change, also one that failed, before the guest hears of its end.
    void changed() { ++changes_; }
    bool exists() const { return flushed_ != changes_; }

    // What a flush that begins now makes stable, for `flushed` when it has succeeded.
    std::uint64_t covered() const { return changes_; }
    void flushed(std::uint64_t covered) {
        std::uint64_t before = flushed_;
        while (before < covered && !flushed_.compare_exchange_weak(before, covered)) {
        }
    }

private:
    // Who used the file before may not have flushed it.
    std::atomic<std::uint64_t> changes_ = 1, flushed_ = 0;
};

}  // namespace backplane::storage
