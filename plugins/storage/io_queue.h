// Work for the host that may wait, done by a few threads; what comes of it is handed back on the
// machine's I/O loop.
#pragma once

#include <backplane/abi/host.h>

#include <boost/asio/thread_pool.hpp>

#include <condition_variable>
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

    // False in a machine that takes no input from the host: then work is done where it comes up.
    bool start(const backplane_host& host, unsigned threads);
    // What is being done is finished, and nobody hears of it.
    void stop();
    bool is_running() const { return pool_ != nullptr; }

    // [machine lock] `work` runs on a thread; then `done` gets its result, with the machine lock
    // held.
    void put(std::function<std::int32_t()> work, std::function<void(std::int32_t)> done);
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
    void drain_event() const;

    const backplane_host* host_ = nullptr;
    backplane_watch* watch_ = nullptr;
    int event_ = -1;  // readable while something is finished
    std::unique_ptr<boost::asio::thread_pool> pool_;
    std::size_t pending_ = 0;  // put, but not delivered
    std::mutex mutex_;         // guards what follows
    std::condition_variable some_finished_;
    std::vector<Finished> finished_;
};

}  // namespace backplane::storage
