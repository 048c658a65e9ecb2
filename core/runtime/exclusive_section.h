// Stops the other CPUs of a machine for the moment that one of them needs it to itself.
//
// Every CPU thread is inside between enter and leave, which it calls around each slice of
// instructions, and outside while it sleeps, parks or waits here. Whoever calls begin goes outside
// too, asks the CPUs that are inside to come to an instruction boundary, and proceeds when nobody
// is left. Then it takes the machine lock, so that no device acts either. No CPU that waits here
// holds that lock, and none that has to come out waits for one that is exclusive: no deadlock.
#pragma once

#include "runtime/machine_lock.h"

#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace backplane::runtime {

class ExclusiveSection {
public:
    // `interrupt` makes every CPU that is inside leave soon.
    ExclusiveSection(MachineLock& lock, std::function<void()> interrupt)
        : lock_{lock}, interrupt_{std::move(interrupt)} {}

    // [vcpu]
    void enter();
    void leave();

    // [vcpu, inside, without the machine lock] May be nested.
    void begin();
    void end();

private:
    MachineLock& lock_;
    std::function<void()> interrupt_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t inside_ = 0;   // by mutex_
    std::thread::id owner_;    // by mutex_; whoever is exclusive, or about to be
    std::size_t nesting_ = 0;  // the owner's
};

}  // namespace backplane::runtime
