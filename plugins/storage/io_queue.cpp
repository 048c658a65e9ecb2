#include "io_queue.h"

#include <boost/asio/post.hpp>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

namespace backplane::storage {

bool IoQueue::start(const backplane_host& host, unsigned threads, Ring ring) {
    event_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event_ < 0) return false;
    host_ = &host;
    watch_ = host.watch_readable(
        host.context, event_,
        [](void* self) noexcept {
            auto& queue = *static_cast<IoQueue*>(self);
            queue.drain_event();
            queue.deliver();
        },
        this);
    if (watch_ == nullptr) {
        close(std::exchange(event_, -1));
        return false;
    }
    pool_ = std::make_unique<boost::asio::thread_pool>(threads);
    if (ring == Ring::IfThereIsOne) ring_ = IoRing::open(event_);
    return true;
}

void IoQueue::stop() {
    if (!pool_) return;
    host_->watch_stop(watch_);
    is_stopping_ = true;
    // Threads may wait for what the kernel reads.
    if (ring_) ring_->finish_all();
    pool_->join();
    ring_.reset();
    pool_.reset();
    close(std::exchange(event_, -1));
    finished_.clear();
    pending_ = 0;
    is_stopping_ = false;
}

void IoQueue::put(std::function<std::int32_t()> work, std::function<void(std::int32_t)> done) {
    ++pending_;
    boost::asio::post(*pool_, [this, work = std::move(work), done = std::move(done)]() mutable {
        const std::int32_t result = work();
        bool is_first = false;
        {
            const std::lock_guard lock{mutex_};
            is_first = finished_.empty();
            finished_.push_back({std::move(done), result});
        }
        if (is_first) (void)eventfd_write(event_, 1);
    });
}

void IoQueue::run(std::function<void()> work) { boost::asio::post(*pool_, std::move(work)); }

bool IoQueue::put(IoRing::Direction direction, images::FileTask& task, IoRing::Done done) {
    if (!ring_) return false;
    const bool is_started = ring_->start(direction, task,
                                         [this, done = std::move(done)](int error) {
                                             --pending_;
                                             if (!is_stopping_) done(error);
                                         });
    if (is_started) ++pending_;
    return is_started;
}

void IoQueue::deliver() {
    std::vector<Finished> finished;
    {
        const std::lock_guard lock{mutex_};
        finished.swap(finished_);
    }
    for (const Finished& entry : finished) {
        --pending_;
        entry.done(entry.result);
    }
    if (ring_) ring_->deliver();
}

void IoQueue::wait() {
    while (pending_ != 0) {
        deliver();
        if (pending_ == 0) return;
        wait_for_event();
        drain_event();
    }
}

void IoQueue::wait_for_event() const {
    pollfd event{.fd = event_, .events = POLLIN, .revents = 0};
    (void)poll(&event, 1, -1);
}

void IoQueue::drain_event() const {
    eventfd_t count = 0;
    (void)eventfd_read(event_, &count);
}

}  // namespace backplane::storage
