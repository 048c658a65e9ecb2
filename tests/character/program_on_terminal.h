// A program of its own in a pseudo-terminal of its own, as a user would have it in a window.
#pragma once

#include "descriptor.h"
#include "host_end.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <string>
#include <thread>

namespace backplane::character::testing {

class ProgramOnTerminal {
public:
    // `run` is the program; what it returns is its exit code. `background`: the terminal is another
    // process group's.
    explicit ProgramOnTerminal(const std::function<int()>& run, bool background = false) {
        int slave = -1, fd = -1;
        if (openpty(&fd, &slave, nullptr, nullptr, nullptr) != 0) return;
        master_.reset(fd);
        tcgetattr(slave, &initial_);
        child_ = fork();
        if (child_ == 0) {
            setsid();
            ioctl(slave, TIOCSCTTY, 0);
            dup2(slave, STDIN_FILENO);
            dup2(slave, STDOUT_FILENO);
            if (background) run_in_background(run);
            _exit(run());
        }
        close(slave);
    }

    ~ProgramOnTerminal() {
        if (child_ > 0) kill(child_, SIGKILL);
        wait();
    }

    void type(std::string_view keys) { write_all(master_.get(), keys); }

    bool shows(std::string_view text) {
        return soon([&] {
            return (screen_ += read_available(master_.get())).find(text) != std::string::npos;
        });
    }

    bool soon(const std::function<bool()>& done) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{2};
        while (!done()) {
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        return true;
    }

    termios mode() const {
        termios mode{};
        tcgetattr(master_.get(), &mode);
        return mode;
    }
    void set_mode(const termios& mode) const { tcsetattr(master_.get(), TCSANOW, &mode); }
    bool is_raw() const { return !(mode().c_lflag & (ICANON | ECHO | ISIG)); }
    bool is_as_before() const {
        return mode().c_lflag == initial_.c_lflag && mode().c_iflag == initial_.c_iflag;
    }

    // As waitpid has it.
    int wait() {
        if (child_ <= 0) return status_;
        // Its last output must not keep it waiting.
        while (waitpid(child_, &status_, WNOHANG) == 0) {
            screen_ += read_available(master_.get());
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
        screen_ += read_available(master_.get());
        child_ = -1;
        return status_;
    }

    bool exited_with(int code) { return WIFEXITED(wait()) && WEXITSTATUS(wait()) == code; }
    bool died_of(int signal) { return WIFSIGNALED(wait()) && WTERMSIG(wait()) == signal; }
    void send_signal(int signal) const { kill(child_, signal); }
    const std::string& screen() const { return screen_; }

private:
    // As after `program &` in a shell with job control: this process keeps the terminal. 99: the
    // program was stopped.
    static void run_in_background(const std::function<int()>& run) {
        const pid_t program = fork();
        if (program == 0) {
            setpgid(0, 0);
            _exit(run());
        }
        int status = 0;
        waitpid(program, &status, WUNTRACED);
        if (WIFSTOPPED(status)) kill(program, SIGKILL);
        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 99);
    }

    Descriptor master_;
    termios initial_{};
    pid_t child_ = -1;
    int status_ = 0;
    std::string screen_;
};

}  // namespace backplane::character::testing
