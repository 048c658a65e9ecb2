#include "stream.h"

#include <poll.h>

#include <array>
#include <cerrno>
#include <chrono>

namespace backplane::character {

void Stream::attach(const backplane_character_receiver* receiver) {
    if (incoming_.attach(*receiver))
        log(LogLevel::Warning,
            "a second device is connected here; the first gets no input any more");
    incoming_.deliver();
    wait_for_host();
}

std::uint32_t Stream::send(const std::uint8_t* data, std::uint32_t length) {
    if (!output_ && !keeps_unsent_) return length;
    const std::uint32_t taken = outgoing_.put({data, length});
    if (output_) flush_soon();
    return taken;
}

void Stream::room_again() {
    incoming_.deliver();
    wait_for_host();
}

void Stream::start_polling() {
    if (!poller_.start(host()))
        log(LogLevel::Info, "output only: this machine takes no input from the host");
}

void Stream::open_input(HostFile file, Poller::Trigger trigger) {
    input_ = std::move(file);
    input_is_output_ = false;
    poller_.add(input_.descriptor(), trigger, [this] { read_input(); });
    wait_for_host();
}

void Stream::open_output(HostFile file) {
    output_ = std::move(file);
    poller_.add(output_.descriptor(), Poller::Trigger::Level, [this] { write_output(); });
}

void Stream::open_both(HostFile file) {
    output_ = std::move(file);
    input_is_output_ = true;
    poller_.add(output_.descriptor(), Poller::Trigger::Level, [this] {
        if (output_is_full_) write_output();
        if (output_) read_input();
    });
    wait_for_host();
    flush_soon();
}

void Stream::close_both() {
    poller_.remove(output_.descriptor());
    output_ = {};
    input_is_output_ = output_is_full_ = false;
}

void Stream::close_input() {
    poller_.remove(input_.descriptor());
    input_ = {};
}

void Stream::close_output() {
    poller_.remove(output_.descriptor());
    output_ = {};
    output_is_full_ = false;
    outgoing_.clear();
}

void Stream::read_input() {
    if (!may_read()) return;
    std::array<std::uint8_t, 4096> bytes;
    const ssize_t count = input().read(bytes);
    if (count > 0) {
        bytes_received_ += static_cast<std::uint64_t>(count);
        received(std::span{bytes}.first(static_cast<std::size_t>(count)));
    } else if (count == 0) {
        input_ended(0);
    } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        input_ended(errno);
    }
    wait_for_host();
}

void Stream::write_output() {
    if (!output_) return;
    before_writing();
    int error = outgoing_.write_to(output_);
    // Without a poller nobody tells when there is room, so wait here, or try again with the next
    // bytes.
    while (error == EAGAIN && !poller_.is_active() && !keeps_unsent_) {
        pollfd entry{output_.descriptor(), POLLOUT, 0};
        poll(&entry, 1, -1);
        error = outgoing_.write_to(output_);
    }
    output_is_full_ = error == EAGAIN && poller_.is_active();
    if (error != 0 && error != EAGAIN) output_failed(error);
    wait_for_host();
}

void Stream::flush_soon() {
    if (flush_is_posted_) return;
    flush_is_posted_ = true;
    host().post(
        host().context,
        [](void* self) {
            auto& stream = *static_cast<Stream*>(self);
            stream.flush_is_posted_ = false;
            if (!stream.output_is_full_) stream.write_output();
        },
        this);
}

void Stream::wait_for_host() {
    const bool read = input() && !incoming_.is_full();
    const bool write = output_ && output_is_full_;
    if (input_is_output_) {
        poller_.want(output_.descriptor(),
                     read ? (write ? Poller::Interest::ReadWrite : Poller::Interest::Read)
                          : (write ? Poller::Interest::Write : Poller::Interest::None));
        return;
    }
    if (input_)
        poller_.want(input_.descriptor(), read ? Poller::Interest::Read : Poller::Interest::None);
    if (output_)
        poller_.want(output_.descriptor(),
                     write ? Poller::Interest::Write : Poller::Interest::None);
}

void Stream::finish() {
    using namespace std::chrono;
    const auto deadline = steady_clock::now() + seconds{1};
    while (output_ && outgoing_.write_to(output_) == EAGAIN) {
        const auto left = duration_cast<milliseconds>(deadline - steady_clock::now()).count();
        pollfd entry{output_.descriptor(), POLLOUT, 0};
        if (left <= 0 || poll(&entry, 1, static_cast<int>(left)) == 0) break;
    }
    poller_.stop();
    input_ = {};
    output_ = {};
}

}  // namespace backplane::character
