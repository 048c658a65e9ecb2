#include "poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>

namespace backplane::character {

bool Poller::start(const backplane_host& host) {
    host_ = &host;
    epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
    if (!epoll_) return false;
    watch_ = host.watch_readable(
        host.context, epoll_.get(), [](void* self) { static_cast<Poller*>(self)->dispatch(); },
        this);
    return watch_ != nullptr;
}

void Poller::stop() {
    if (watch_ != nullptr) host_->watch_stop(std::exchange(watch_, nullptr));
    entries_.clear();
    epoll_.reset();
}

void Poller::add(int fd, Trigger trigger, std::function<void()> ready) {
    remove(fd);
    Entry& entry = entries_[fd];
    entry.ready = std::move(ready);
    entry.trigger = trigger;
}

void Poller::want(int fd, Interest interest) {
    const auto found = entries_.find(fd);
    if (found == entries_.end() || !epoll_) return;
    Entry& entry = found->second;
    if (entry.interest == interest && entry.registered == (interest != Interest::None)) return;
    entry.interest = interest;
    const int target = entry.always_ready ? entry.always_ready.get() : fd;
    if (interest == Interest::None) {
        // Not an empty set of events: epoll reports a hang-up even then, for ever.
        if (entry.registered) epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, target, nullptr);
        entry.registered = false;
        return;
    }
    epoll_event event{};
    event.data.fd = fd;
    if (interest != Interest::Write) event.events |= EPOLLIN;
    if (interest != Interest::Read) event.events |= EPOLLOUT;
    if (entry.trigger == Trigger::Edge) event.events |= EPOLLET;
    const int outcome = epoll_ctl(epoll_.get(), entry.registered ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
                                  target, &event);
    if (outcome == 0) {
        entry.registered = true;
    } else if (errno == EPERM && !entry.always_ready) {
        entry.always_ready.reset(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK));
        if (entry.always_ready) want(fd, interest);
    }
}

void Poller::remove(int fd) {
    want(fd, Interest::None);
    entries_.erase(fd);
}

void Poller::dispatch() {
    if (!epoll_) return;
    std::array<epoll_event, 8> events;
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) {
        const auto found = entries_.find(events[static_cast<std::size_t>(i)].data.fd);
        if (found == entries_.end()) continue;
        if (found->second.trigger == Trigger::Edge) found->second.interest = Interest::None;
        // A copy, because the entry may go while it runs.
        const auto ready = found->second.ready;
        ready();
    }
}

}  // namespace backplane::character
