#include "terminal_mode.h"

#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>

namespace backplane::character {

namespace {

// For the handlers below, which cannot be given anything. `descriptor` is -1 while there is nothing
// to restore.
std::atomic<int> descriptor{-1};
termios before;

// Those that end a program without asking it. What others handle already (a debugger's or a
// compiler's faults) is theirs.
constexpr std::array fatal_signals{SIGSEGV, SIGBUS, SIGILL,  SIGFPE,
                                   SIGABRT, SIGSYS, SIGTRAP, SIGQUIT};

bool owns_terminal(int fd) {
    const pid_t group = tcgetpgrp(fd);
    return group == getpgrp() ||
           (group < 0 && errno == ENOTTY);  // without job control it is nobody else's
}

// Only what may be called in a signal handler.
void give_back() {
    const int fd = descriptor.exchange(-1);
    if (fd >= 0 && owns_terminal(fd)) tcsetattr(fd, TCSANOW, &before);
}

void restore_and_die(int signal) {
    give_back();
    std::signal(signal, SIG_DFL);
    raise(signal);
}

void handle_fatal_signals() {
    for (const int signal : fatal_signals) {
        struct sigaction present{};
        if (sigaction(signal, nullptr, &present) != 0 || (present.sa_flags & SA_SIGINFO) ||
            present.sa_handler != SIG_DFL)
            continue;
        struct sigaction ours{};
        ours.sa_handler = restore_and_die;
        ours.sa_flags = SA_ONSTACK;
        sigaction(signal, &ours, nullptr);
    }
}

void forget_fatal_signals() {
    for (const int signal : fatal_signals) {
        struct sigaction present{};
        if (sigaction(signal, nullptr, &present) != 0 || (present.sa_flags & SA_SIGINFO) ||
            present.sa_handler != restore_and_die)
            continue;
        std::signal(signal, SIG_DFL);
    }
}

termios raw(termios mode) {
    mode.c_iflag &= ~static_cast<tcflag_t>(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR |
                                           ICRNL | IXON);
    mode.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    mode.c_cflag = (mode.c_cflag & ~static_cast<tcflag_t>(CSIZE | PARENB)) | CS8;
    // Output processing stays, so that log lines begin at the left.
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    return mode;
}

bool is_raw(const termios& mode) {
    const termios wanted = raw(mode);
    return mode.c_iflag == wanted.c_iflag && mode.c_lflag == wanted.c_lflag &&
           mode.c_cflag == wanted.c_cflag;
}

}  // namespace

bool TerminalMode::open(int fd) {
    if (!isatty(fd)) return false;
    fd_ = fd;
    return true;
}

bool TerminalMode::in_foreground() const { return fd_ < 0 || owns_terminal(fd_); }

void TerminalMode::make_raw() {
    if (fd_ < 0 || !owns_terminal(fd_)) return;
    termios present{};
    if (tcgetattr(fd_, &present) != 0 || is_raw(present)) return;
    if (descriptor.load() < 0) {
        static const bool registered = std::atexit(give_back) == 0;
        (void)registered;
        handle_fatal_signals();
    }
    // While the terminal was not raw it may have been given another mode, which is the one to come
    // back to.
    descriptor = -1;
    before = present;
    descriptor = fd_;
    const termios wanted = raw(present);
    tcsetattr(fd_, TCSANOW, &wanted);
}

void TerminalMode::restore() {
    if (fd_ < 0) return;
    give_back();
    forget_fatal_signals();
    fd_ = -1;
}

}  // namespace backplane::character
