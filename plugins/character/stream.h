// What all streams over host files have in common: the two queues, and pumping them when the host
// is ready.
#pragma once

#include "host_file.h"
#include "incoming.h"
#include "outgoing.h"
#include "poller.h"

#include <backplane/declaration.h>

#include <cstdint>
#include <span>

namespace backplane::character {

class Stream : public Device {
public:
    // backplane.character/1
    void attach(const backplane_character_receiver* receiver);
    std::uint32_t send(const std::uint8_t* data, std::uint32_t length);
    void room_again();

    std::uint64_t bytes_sent() const { return outgoing_.written(); }
    std::uint64_t bytes_dropped() const { return outgoing_.dropped(); }
    std::uint64_t bytes_received() const { return bytes_received_; }

protected:
    explicit Stream(WhenFull when_full)
        : keeps_unsent_{when_full == WhenFull::DropOldest}, outgoing_{when_full} {}
    ~Stream() = default;

    // Says once, where it is so, that the host takes no input.
    void start_polling();
    // Writes out what is still waiting, for a short while only if the far end does not take it.
    void finish();

    void open_input(HostFile file, Poller::Trigger trigger = Poller::Trigger::Level);
    void open_output(HostFile file);
    // A client: one file for both.
    void open_both(HostFile file);
    void close_both();
    void close_input();
    // What is sent from here on is taken and forgotten, unless it is kept for the next client.
    void close_output();

    Poller& poller() { return poller_; }
    Incoming& incoming() { return incoming_; }
    Outgoing& outgoing() { return outgoing_; }
    const HostFile& input() const { return input_is_output_ ? output_ : input_; }
    const HostFile& output() const { return output_; }
    // Soon, together with what else is sent until then.
    void flush_soon();

    // Bytes from the host; what the device shall have goes on to incoming().
    virtual void received(std::span<const std::uint8_t> bytes) { incoming_.push(bytes); }
    // May bytes be read now? If not, the next edge asks again.
    virtual bool may_read() { return true; }
    // Reading gave an end of file (0) or an error.
    virtual void input_ended(int error) = 0;
    virtual void output_failed(int error) = 0;
    virtual void before_writing() {}

private:
    void read_input();
    void write_output();
    void wait_for_host();

    const bool keeps_unsent_;  // for the next client
    Poller poller_;
    Incoming incoming_;
    Outgoing outgoing_;
    HostFile input_, output_;
    bool input_is_output_ = false;
    bool output_is_full_ = false;
    bool flush_is_posted_ = false;
    std::uint64_t bytes_received_ = 0;
};

// Declares the port, and the statistics, of the stream type T.
template <class T>
void declare_stream(Declaration<T>& d) {
    static constexpr backplane_character functions{
        sizeof(backplane_character), 0,
        [](void* object, const backplane_character_receiver* receiver) {
            static_cast<T*>(object)->attach(receiver);
        },
        [](void* object, const std::uint8_t* data, std::uint32_t length) {
            return static_cast<T*>(object)->send(data, length);
        },
        [](void* object) { static_cast<T*>(object)->room_again(); }};
    d.provides("stream", functions, "Bytes both ways");
    d.counter(
        "bytes.sent", [](T& stream) { return stream.bytes_sent(); }, "bytes",
        "Written to the host");
    d.counter(
        "bytes.received", [](T& stream) { return stream.bytes_received(); }, "bytes",
        "Read from the host");
    d.counter(
        "bytes.dropped", [](T& stream) { return stream.bytes_dropped(); }, "bytes",
        "Sent by the guest, but nobody took them");
}

}  // namespace backplane::character
