// The program's standard input and output, with a menu behind Ctrl-A. Either may be closed or not
// be a terminal.
#pragma once

#include "stream.h"
#include "terminal_menu.h"
#include "terminal_mode.h"

#include <string_view>

namespace backplane::character {

class TerminalStream final : public Stream {
public:
    TerminalStream() : Stream{WhenFull::Refuse} {}
    ~TerminalStream() { stop(); }

    static void declare(Declaration<TerminalStream>& d);

    Outcome start();
    void stop();
    std::uint32_t send(const std::uint8_t* data, std::uint32_t length);

private:
    void received(std::span<const std::uint8_t> bytes) override;
    bool may_read() override;
    void input_ended(int error) override;
    void output_failed(int error) override;
    void before_writing() override { mode_.make_raw(); }
    void carry_out(TerminalMenu::Action action);
    void say(std::string_view text);

    TerminalMode mode_;
    TerminalMenu menu_;
    bool started_ = false;
    bool input_is_terminal_ = false, output_is_terminal_ = false;
    bool at_line_start_ = true;
};

}  // namespace backplane::character
