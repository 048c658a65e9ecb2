// Waits for several descriptors on the host's I/O loop.
//
// The loop is given one epoll descriptor of our own, never the descriptors themselves: whatever it
// does to what it waits for (Asio makes it non-blocking) does not happen to files that are shared
// with the shell. An epoll also takes interest in writing, and can be changed without a new watch.
#pragma once

#include "descriptor.h"

#include <backplane/abi/host.h>

#include <cstdint>
#include <functional>
#include <map>

namespace backplane::character {

class Poller {
public:
    Poller() = default;
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;
    ~Poller() { stop(); }

    // False where the host takes no input, which is so in deterministic machines.
    bool start(const backplane_host& host);
    void stop();
    bool is_active() const { return watch_ != nullptr; }

    enum class Interest : std::uint8_t { None, Read, Write, ReadWrite };
    // Edge: `ready` is called once when something new arrives, not all the time until it is read.
    // To want the same again after that call renews it.
    enum class Trigger : std::uint8_t { Level, Edge };
    void add(int fd, Trigger trigger, std::function<void()> ready);
    void want(int fd, Interest interest);
    void remove(int fd);

private:
    struct Entry {
        std::function<void()> ready;
        Trigger trigger = Trigger::Level;
        Interest interest = Interest::None;  // edge: what has not fired yet
        bool registered = false;
        Descriptor always_ready;  // stands for a file that epoll does not take, because it never
                                  // makes anybody wait
    };

    void dispatch();

    const backplane_host* host_ = nullptr;
    backplane_watch* watch_ = nullptr;
    Descriptor epoll_;
    std::map<int, Entry> entries_;
};

}  // namespace backplane::character
