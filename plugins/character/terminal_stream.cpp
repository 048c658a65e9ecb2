#include "terminal_stream.h"

#include "host_error.h"

#include <unistd.h>

#include <atomic>
#include <vector>

namespace backplane::character {

namespace {

// There is one standard input, so one stream at a time may have it.
std::atomic<bool> taken{false};

}  // namespace

void TerminalStream::declare(Declaration<TerminalStream>& d) {
    d.type("character.terminal",
           "The program's standard input and output; on a terminal Ctrl-A H shows the menu");
    declare_stream(d);
}

Outcome TerminalStream::start() {
    if (taken.exchange(true))
        return std::unexpected(
            "standard input and output are in use by another character.terminal");
    started_ = true;
    start_polling();
    incoming().set_connected(true);
    output_is_terminal_ = isatty(STDOUT_FILENO) != 0;
    if (auto file = HostFile::for_writing(STDOUT_FILENO)) open_output(std::move(file));
    // Where no key can reach us the terminal had better keep Ctrl-C.
    if (!poller().is_active()) return {};
    input_is_terminal_ = mode_.open(STDIN_FILENO);
    mode_.make_raw();
    if (auto file = HostFile::for_reading(STDIN_FILENO)) {
        open_input(std::move(file),
                   input_is_terminal_ ? Poller::Trigger::Edge : Poller::Trigger::Level);
    }
    return {};
}

void TerminalStream::stop() {
    if (!started_) return;
    started_ = false;
    if (output_is_terminal_ && !at_line_start_) say("\r\n");
    finish();
    mode_.restore();
    taken = false;
}

std::uint32_t TerminalStream::send(const std::uint8_t* data, std::uint32_t length) {
    const std::uint32_t sent = Stream::send(data, length);
    if (sent != 0) at_line_start_ = data[sent - 1] == '\n';
    return sent;
}

bool TerminalStream::may_read() {
    // From the background, reading would stop the program. What is typed there is for others
    // anyway.
    if (!mode_.in_foreground()) return false;
    mode_.make_raw();
    return true;
}

void TerminalStream::received(std::span<const std::uint8_t> bytes) {
    // A pipe or a file may hold any byte.
    if (!input_is_terminal_) return incoming().push(bytes);
    std::vector<std::uint8_t> for_guest;
    for (const std::uint8_t byte : bytes) {
        const TerminalMenu::Key key = menu_.type(byte);
        if (key.for_guest) for_guest.push_back(*key.for_guest);
        if (key.action == TerminalMenu::Action::None) continue;
        incoming().push(for_guest);
        for_guest.clear();
        carry_out(key.action);
    }
    incoming().push(for_guest);
}

void TerminalStream::carry_out(TerminalMenu::Action action) {
    switch (action) {
    case TerminalMenu::Action::Quit: request_power_off(0, "quit from the terminal"); break;
    case TerminalMenu::Action::Help: say(TerminalMenu::help); break;
    case TerminalMenu::Action::Break: incoming().send_break(); break;
    case TerminalMenu::Action::Unknown: say("\r\n(Ctrl-A H shows what Ctrl-A can do)\r\n"); break;
    case TerminalMenu::Action::None: break;
    }
}

void TerminalStream::say(std::string_view text) {
    send(reinterpret_cast<const std::uint8_t*>(text.data()),
         static_cast<std::uint32_t>(text.size()));
}

void TerminalStream::input_ended(int error) {
    if (error != 0) log(LogLevel::Debug, host_error("cannot read standard input", error));
    close_input();
}

void TerminalStream::output_failed(int error) {
    log(LogLevel::Warning, host_error("cannot write to standard output", error),
        "; output is lost from here on");
    close_output();
}

}  // namespace backplane::character
