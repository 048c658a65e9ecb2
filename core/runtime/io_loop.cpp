#include "runtime/io_loop.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace backplane::runtime {

namespace asio = boost::asio;

void IoLoop::start(Alarm alarm) {
    alarm_ = std::move(alarm);
    thread_ = std::thread{[this] { run(); }};
}

void IoLoop::run() {
    const auto work = asio::make_work_guard(context_);
    asio::post(context_, [this] { arm(); });
    context_.run();
}

void IoLoop::stop() {
    if (!thread_.joinable()) return;
    context_.stop();
    thread_.join();
}

void IoLoop::arm() {
    if (!alarm_) return;
    std::optional<std::chrono::steady_clock::time_point> next;
    {
        const MachineGuard guard{lock_};
        next = alarm_();
    }
    if (!next) {
        timer_.cancel();
        return;
    }
    timer_.expires_at(*next);
    timer_.async_wait([this](boost::system::error_code error) {
        if (!error) arm();
    });
}

void IoLoop::wake() {
    if (wake_posted_.exchange(true)) return;
    asio::post(context_, [this] {
        wake_posted_ = false;
        arm();
    });
}

void IoLoop::post(std::function<void()> run) {
    asio::post(context_, [this, run = std::move(run)] {
        const MachineGuard guard{lock_};
        run();
    });
}

void IoLoop::every(std::chrono::milliseconds period, std::function<void()> run) {
    repeat(std::make_shared<asio::steady_timer>(context_, std::chrono::steady_clock::now()), period,
           std::move(run));
}

void IoLoop::repeat(std::shared_ptr<asio::steady_timer> timer, std::chrono::milliseconds period,
                    std::function<void()> run) {
    timer->expires_at(timer->expiry() + period);
    auto& waiting = *timer;
    waiting.async_wait([this, timer = std::move(timer), period,
                        run = std::move(run)](boost::system::error_code error) mutable {
        if (error) return;
        run();
        repeat(std::move(timer), period, std::move(run));
    });
}

void IoLoop::on_termination(std::function<void(int)> run) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        signals_.add(signal);
    signals_.async_wait([run = std::move(run)](boost::system::error_code error, int signal) {
        if (!error) run(signal);
    });
}

IoLoop::Watch::Watch(IoLoop& loop, int fd, std::function<void()> ready)
    : loop_{loop}, descriptor_{loop.context_}, ready_{std::move(ready)} {
    // A duplicate, because the descriptor is closed with the watch while the file stays its
    // owner's.
    descriptor_.assign(dup(fd));
}

std::shared_ptr<IoLoop::Watch> IoLoop::watch(int fd, std::function<void()> ready) {
    // Regular files are always readable and cannot be waited for (epoll gives EPERM); Asio would
    // not tell.
    struct stat status{};
    if (fstat(fd, &status) != 0 || S_ISREG(status.st_mode) || S_ISDIR(status.st_mode))
        return nullptr;
    try {
        const std::shared_ptr<Watch> watch{new Watch{*this, fd, std::move(ready)}};
        watch->self_ = watch;
        asio::post(context_, [watch] { watch->wait(); });
        return watch;
    } catch (const boost::system::system_error&) {
        return nullptr;
    }
}

void IoLoop::Watch::wait() {
    descriptor_.async_wait(asio::posix::stream_descriptor::wait_read,
                           [watch = self_](boost::system::error_code error) {
                               const MachineGuard guard{watch->loop_.lock_};
                               if (error || watch->stopped_) return;
                               watch->ready_();
                               if (!watch->stopped_) watch->wait();
                           });
}

void IoLoop::Watch::stop() {
    if (std::exchange(stopped_, true)) return;
    asio::post(loop_.context_, [watch = std::move(self_)] {
        boost::system::error_code ignored;
        watch->descriptor_.close(ignored);
    });
}

}  // namespace backplane::runtime
