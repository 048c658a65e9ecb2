// One connection from GDB: bytes in and out on the I/O loop, packets to and from the stub on the
// controller.
#pragma once

#include "runtime/gdb/packets.h"
#include "runtime/gdb/stub.h"
#include "runtime/machine.h"

#include <boost/asio/generic/stream_protocol.hpp>

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace backplane::runtime::gdb {

class Session : public std::enable_shared_from_this<Session> {
public:
    using Socket = boost::asio::generic::stream_protocol::socket;

    // `closed` is called on the loop when the connection is gone.
    Session(Machine& machine, Socket socket, std::function<void()> closed);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // [io loop]
    void start();
    [[nodiscard]] bool is_closed() const { return is_closed_; }

private:
    void read();
    void take(const Received& received);
    void write(std::string bytes);
    void write_next();
    void close();
    // [controller]
    void send(const std::string& payload);
    void changed(const StateEvent& event);

    Machine& machine_;
    Socket socket_;
    std::function<void()> closed_;
    RunControl::ListenerId listener_ = nullptr;

    // Of the loop.
    PacketReader reader_;
    std::array<char, 4096> received_{};
    std::deque<std::string> outgoing_;
    std::string last_packet_;  // to be sent again when it was refused
    bool acknowledges_ = true, is_closed_ = false;

    Stub stub_;  // of the controller
};

}  // namespace backplane::runtime::gdb
