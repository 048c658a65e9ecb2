#include "runtime/gdb/session.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>

#include <chrono>
#include <future>
#include <memory>
#include <utility>

namespace backplane::runtime::gdb {

namespace asio = boost::asio;

Session::Session(Machine& machine, Socket socket, std::function<void()> closed)
    : machine_{machine}, socket_{std::move(socket)}, closed_{std::move(closed)},
      stub_{machine, [this](const std::string& payload) { send(payload); }} {
    listener_ = machine_.control().listen([this](const StateEvent& event) { changed(event); });
}

Session::~Session() { machine_.control().unlisten(listener_); }

void Session::start() { read(); }

// ---- On the loop ----

void Session::read() {
    socket_.async_read_some(
        asio::buffer(received_),
        [self = shared_from_this()](boost::system::error_code error, std::size_t length) {
            if (error) return self->close();
            self->reader_.feed({self->received_.data(), length});
            while (const auto packet = self->reader_.next())
                self->take(*packet);
            if (!self->is_closed_) self->read();
        });
}

void Session::take(const Received& received) {
    switch (received.kind) {
    case Received::Kind::Acknowledged: return;
    case Received::Kind::Refused:
        if (acknowledges_ && !last_packet_.empty()) write(last_packet_);
        return;
    case Received::Kind::Damaged:
        if (acknowledges_) write("-");
        return;
    case Received::Kind::Interrupt: machine_.control().pause("interrupted by the debugger"); return;
    case Received::Kind::Packet: break;
    }
    if (acknowledges_) write("+");
    if (received.payload == "QStartNoAckMode") {
        last_packet_ = framed("OK");
        write(last_packet_);
        acknowledges_ = false;
        return;
    }
    machine_.control().post(
        [self = shared_from_this(), packet = received.payload] { self->stub_.handle(packet); });
}

void Session::write(std::string bytes) {
    if (is_closed_) return;
    outgoing_.push_back(std::move(bytes));
    if (outgoing_.size() == 1) write_next();
}

void Session::write_next() {
    asio::async_write(socket_, asio::buffer(outgoing_.front()),
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                          if (error || self->is_closed_) return self->close();
                          self->outgoing_.pop_front();
                          if (!self->outgoing_.empty()) self->write_next();
                      });
}

void Session::close() {
    if (std::exchange(is_closed_, true)) return;
    boost::system::error_code ignored;
    socket_.close(ignored);
    machine_.control().unlisten(listener_);
    machine_.control().post([self = shared_from_this()] { self->stub_.let_go(); });
    closed_();
}

// ---- On the controller ----

void Session::send(const std::string& payload) {
    asio::post(socket_.get_executor(), [self = shared_from_this(), packet = framed(payload)] {
        self->last_packet_ = packet;
        self->write(packet);
    });
}

void Session::changed(const StateEvent& event) {
    stub_.changed(event);
    if (event.change != StateChange::PoweredOff) return;
    // The loop ends with the machine; what was said last shall arrive.
    constexpr std::chrono::milliseconds patience{500};
    const auto said = std::make_shared<std::promise<void>>();
    asio::post(socket_.get_executor(), [self = shared_from_this(), said] {
        boost::system::error_code ignored;
        self->is_closed_ = true;
        for (const std::string& bytes : std::exchange(self->outgoing_, {}))
            asio::write(self->socket_, asio::buffer(bytes), ignored);
        said->set_value();
    });
    said->get_future().wait_for(patience);
}

}  // namespace backplane::runtime::gdb
