// The thread that waits for the host: input on file descriptors, signals, posted work and, in a
// realtime machine, the next timer.
#pragma once

#include "runtime/machine_lock.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

namespace backplane::runtime {

class IoLoop {
public:
    explicit IoLoop(MachineLock& lock) : lock_{lock} {}
    IoLoop(const IoLoop&) = delete;
    IoLoop& operator=(const IoLoop&) = delete;
    ~IoLoop() { stop(); }

    // Called with the machine lock held when the alarm's time has come; gives the next alarm.
    using Alarm = std::function<std::optional<std::chrono::steady_clock::time_point>()>;
    void start(Alarm alarm);
    // Waits for the thread to end. Not from the thread itself.
    void stop();

    // For servers that wait on it; their handlers run without the machine lock.
    [[nodiscard]] boost::asio::io_context& context() { return context_; }

    // [any] The alarm's next time may have moved forward.
    void wake();
    // [any] Runs soon on the loop, with the machine lock held.
    void post(std::function<void()> run);
    // [any] Runs on the loop every `period` until it stops; without the machine lock.
    void every(std::chrono::milliseconds period, std::function<void()> run);
    // [any] Runs on the loop when one of SIGINT, SIGTERM, SIGHUP arrives.
    void on_termination(std::function<void(int signal)> run);

    // Calls `ready` with the machine lock held while fd is readable.
    class Watch {
    public:
        void stop();

    private:
        friend class IoLoop;
        Watch(IoLoop& loop, int fd, std::function<void()> ready);
        void wait();

        IoLoop& loop_;
        boost::asio::posix::stream_descriptor descriptor_;
        std::function<void()> ready_;
        std::shared_ptr<Watch> self_;  // keeps it alive while a wait is pending
        bool stopped_ = false;         // by the machine lock
    };
    // Null when the host cannot wait on this kind of file (a regular file, say).
    std::shared_ptr<Watch> watch(int fd, std::function<void()> ready);

private:
    void run();
    void arm();
    void repeat(std::shared_ptr<boost::asio::steady_timer> timer, std::chrono::milliseconds period,
                std::function<void()> run);

    MachineLock& lock_;
    boost::asio::io_context context_{1};
    boost::asio::steady_timer timer_{context_};
    boost::asio::signal_set signals_{context_};
    std::atomic<bool> wake_posted_ = false;
    Alarm alarm_;
    std::thread thread_;
};

}  // namespace backplane::runtime
