#include "runtime/control/connection.h"

#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <poll.h>

#include <utility>

namespace backplane::runtime::control {

namespace asio = boost::asio;

namespace {

// A client that has this much to read is given no more events and answered no further.
constexpr std::size_t enough_output = 1 << 20;
constexpr std::size_t events_at_once = 256;
constexpr std::chrono::milliseconds event_period{10};

}  // namespace

Connection::Connection(Context& context, Socket socket, Trust trust,
                       std::function<void(Connection&)> closed)
    : socket_{std::move(socket)}, trust_{trust}, closed_{std::move(closed)},
      session_{context, [this](std::string line) { send(std::move(line)); }},
      pause_{socket_.get_executor()}, events_{socket_.get_executor()} {}

void Connection::start() {
    session_.greet();
    read();
}

void Connection::run_state_changed(const ordered_json& event) {
    if (!is_closed_) session_.run_state_changed(event);
}

void Connection::finish() {
    if (std::exchange(finishing_, true) || is_closed_) return;
    pause_.cancel();
    // A command that waited for the machine finds that the run is over.
    if (session_.is_busy()) session_.step();
    if (output_.empty()) close();
}

void Connection::close() {
    if (std::exchange(is_closed_, true)) return;
    boost::system::error_code ignored;
    pause_.cancel();
    events_.cancel();
    socket_.close(ignored);
    // Not at once: we may be called from a function of this object.
    asio::post(socket_.get_executor(), [self = shared_from_this()] { self->closed_(*self); });
}

void Connection::send(std::string line) {
    if (is_closed_) return;
    unsent_ += line.size();
    output_.push_back(std::move(line));
    write();
}

void Connection::write() {
    if (writing_ || output_.empty()) return;
    writing_ = true;
    asio::async_write(socket_, asio::buffer(output_.front()),
                      [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                          self->writing_ = false;
                          if (error) return self->close();
                          self->unsent_ -= self->output_.front().size();
                          self->output_.pop_front();
                          self->write();
                          if (!self->output_.empty()) return;
                          if (self->finishing_) return self->close();
                          self->work();
                      });
}

void Connection::read() {
    if (reading_ || is_closed_ || input_ended_ || session_.held() > longest_line) return;
    reading_ = true;
    socket_.async_read_some(
        asio::buffer(buffer_),
        [self = shared_from_this()](boost::system::error_code error, std::size_t bytes) {
            self->reading_ = false;
            if (error && error != asio::error::eof) return self->close();
            if (error) {
                self->input_ended_ = true;
                self->session_.end_of_input();
            }
            self->received(bytes);
        });
}

void Connection::received(std::size_t bytes) {
    session_.receive({buffer_.data(), bytes});
    work();
    read();
}

// One line at a time, so that clients take turns.
void Connection::work() {
    if (working_ || is_closed_ || finishing_ || unsent_ > enough_output) return;
    const Session::Step step = session_.step();
    if (trust_ == Trust::Stranger && step == Session::Step::Done && !session_.understood())
        return finish();
    if (session_.wants_events()) watch_events();
    if (step == Session::Step::Idle) {
        if (input_ended_) return finish();
        return read();
    }
    later(step == Session::Step::Wait ? session_.pause() : std::chrono::milliseconds{0});
}

void Connection::later(std::chrono::milliseconds after) {
    working_ = true;
    pause_.expires_after(after);
    pause_.async_wait([self = shared_from_this()](boost::system::error_code error) {
        self->working_ = false;
        if (error) return;
        if (self->is_gone()) return self->close();
        self->work();
    });
}

void Connection::watch_events() {
    if (watching_) return;
    watching_ = true;
    events_.expires_after(event_period);
    events_.async_wait([self = shared_from_this()](boost::system::error_code error) {
        self->watching_ = false;
        if (error || self->is_closed_ || self->finishing_) return;
        if (self->unsent_ <= enough_output) self->session_.send_events(events_at_once);
        if (self->session_.wants_events()) self->watch_events();
    });
}

// Whether nobody would hear the answer; one who merely says no more still listens.
bool Connection::is_gone() {
    pollfd end{socket_.native_handle(), 0, 0};
    return poll(&end, 1, 0) > 0 && (end.revents & (POLLHUP | POLLERR)) != 0;
}

}  // namespace backplane::runtime::control
