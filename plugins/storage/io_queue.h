// Work for the host that may wait, done by a few threads, or by the kernel alone; what comes of it
// is handed back on the machine's I/O loop.
#pragma once

#include "io_ring.h"

#include <backplane/abi/host.h>

#include <boost/asio/thread_pool.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace backplane::storage {

class IoQueue {
public:
    IoQueue() = default;
    ~IoQueue() { stop(); }
    IoQueue(const IoQueue&) = delete;
    IoQueue& operator=(const IoQueue&) = delete;

    enum class Ring : bool { No, IfThereIsOne };

    // False in a machine that takes no input from the host: then work is done where it comes up.
    bool start(const backplane_host& host, unsigned threads, Ring ring = Ring::No);
    // What is being done is finished, and nobody hears of it.
    void stop();
    bool is_running() const { return pool_ != nullptr; }

    // [machine lock] `work` runs on a thread; then `done` gets its result, with the machine lock
    // held.
    void put(std::function<std::int32_t()> work, std::function<void(std::int32_t)> done);
    // [machine lock] Likewise, without a thread. False: that cannot be, now or at all.
    bool put(IoRing::Direction direction, images::FileTask& task, IoRing::Done done);
    bool has_ring() const { return ring_ != nullptr; }
    // [any] Nobody waits for this `work`.
    void run(std::function<void()> work);
    // [machine lock] Until nothing is left, calling what is done.
    void wait();
    std::size_t pending() const { return pending_; }

private:
    struct Finished {
        std::function<void(std::int32_t)> done;
        std::int32_t result;
    };

    void deliver();
    void wait_for_event() const;
    void drain_event() const;

    const backplane_host* host_ = nullptr;
    backplane_watch* watch_ = nullptr;
    int event_ = -1;  // readable while something is finished
    std::unique_ptr<boost::asio::thread_pool> pool_;
    std::unique_ptr<IoRing> ring_;  // null: there is none
    bool is_stopping_ = false;
    std::size_t pending_ = 0;  // put, but not delivered
    std::mutex mutex_;         // guards what follows
    std::vector<Finished> finished_;
};

}  // namespace backplane::storage
