// Puts the user's terminal into raw mode, and makes sure that it gets its old mode back however the
// program ends.
#pragma once

namespace backplane::character {

// One at a time in a process, as there is one terminal.
class TerminalMode {
public:
    TerminalMode() = default;
    TerminalMode(const TerminalMode&) = delete;
    TerminalMode& operator=(const TerminalMode&) = delete;
    ~TerminalMode() { restore(); }

    // False: `fd` is not a terminal, and this object does nothing.
    bool open(int fd);

    // Whether the terminal is ours now. In the background it belongs to the shell, and touching it
    // would stop us.
    bool in_foreground() const;
    // Again after a shell had the terminal in between; costs two system calls when nothing has
    // changed.
    void make_raw();
    void restore();

private:
    int fd_ = -1;
};

}  // namespace backplane::character
