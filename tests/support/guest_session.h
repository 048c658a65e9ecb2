// `backplane run` as a user has it: on a terminal of its own or between pipes, with somebody who
// types and reads.
#pragma once

#include "support/paths.h"

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane::test {

// What the program's standard input is; its output is on the terminal, or all in one pipe.
enum class Input : std::uint8_t { Terminal, Pipe, Null, Closed };

class GuestSession {
public:
    using Clock = std::chrono::steady_clock;

    // For what has to happen, however busy the host is: only a guest that hangs takes so long.
    static constexpr std::chrono::seconds patience{300};

    // `arguments` follow `backplane run MACHINE`; the machine is one of machines/. `prepare` is
    // called in the program's process, before it is the program.
    GuestSession(
        const std::string& machine, const std::vector<std::string>& arguments,
        Input input = Input::Terminal, void (*prepare)() = [] {})
        : prepare_{prepare} {
        std::vector<std::string> command{
            paths::program, "run", std::string{paths::source} + "/machines/" + machine + ".yaml"};
        command.insert(command.end(), arguments.begin(), arguments.end());
        input == Input::Terminal ? start_on_terminal(command) : start_on_pipes(command, input);
    }

    GuestSession(const GuestSession&) = delete;
    GuestSession& operator=(const GuestSession&) = delete;

    ~GuestSession() {
        if (!status_) {
            kill(child_, SIGKILL);
            waitpid(child_, nullptr, 0);
        }
        for (const int fd : {input_, output_, slave_})
            if (fd >= 0) close(fd);
    }

    // Reads until `text` comes, and takes everything up to its end; `before` then has what came
    // before it.
    bool expect(std::string_view text, std::chrono::seconds limit = patience) {
        const auto deadline = Clock::now() + limit;
        for (;;) {
            const bool is_over = has_ended() || Clock::now() >= deadline;
            if (const auto at = unread_.find(text); at != std::string::npos) {
                before = unread_.substr(0, at);
                unread_.erase(0, at + text.size());
                return true;
            }
            if (is_over) return false;
            exchange({}, next_look(deadline));
        }
    }

    // Types all of it, reading meanwhile, as a terminal does.
    bool type(std::string_view keys, std::chrono::seconds limit = patience) {
        const auto deadline = Clock::now() + limit;
        while (!keys.empty()) {
            if (has_ended() || Clock::now() >= deadline) return false;
            keys.remove_prefix(exchange(keys, next_look(deadline)).value_or(0));
        }
        return true;
    }

    void end_input() { close(std::exchange(input_, -1)); }

    // Runs a command in the guest's shell and gives its output, with lines that end in \n. Call it
    // when the prompt was read.
    std::string shell(const std::string& command) {
        if (!type(command + "\r") || !expect("\n") || !expect(prompt))
            return "(no answer)\n" + unread_;
        std::erase(before, '\r');
        return before;
    }

    // What the program ended with, minus the signal that killed it; nothing while it runs. All that
    // it wrote has been read then.
    std::optional<int> exit_code(std::chrono::seconds limit = patience) {
        const auto deadline = Clock::now() + limit;
        while (!has_ended() && Clock::now() < deadline)
            exchange({}, Clock::now() + std::chrono::milliseconds{5});
        return status_;
    }

    void send_signal(int signal) const { kill(child_, signal); }

    // Only on a terminal.
    bool is_raw() const { return (mode().c_lflag & (ICANON | ECHO | ISIG)) == 0; }
    bool terminal_is_as_before() const {
        const termios now = mode();
        return now.c_iflag == initial_.c_iflag && now.c_oflag == initial_.c_oflag &&
               now.c_cflag == initial_.c_cflag && now.c_lflag == initial_.c_lflag &&
               std::equal(std::begin(now.c_cc), std::end(now.c_cc), initial_.c_cc);
    }

    // Processor time that the program has used.
    std::chrono::milliseconds cpu_time() const {
        std::ifstream stat{"/proc/" + std::to_string(child_) + "/stat"};
        std::string line;
        std::getline(stat, line);
        std::istringstream fields{line.substr(line.rfind(')') + 1)};
        std::string skipped;
        for (int field = 3; field < 14; ++field)
            fields >> skipped;
        std::int64_t user = 0, system = 0;
        fields >> user >> system;
        return std::chrono::milliseconds{(user + system) * 1000 / sysconf(_SC_CLK_TCK)};
    }

    const std::string& unread() const { return unread_; }

    std::string before;

    static constexpr const char* prompt = "/root # ";

private:
    void start_on_terminal(const std::vector<std::string>& command) {
        int master = -1;
        if (openpty(&master, &slave_, nullptr, nullptr, nullptr) != 0) return;
        tcgetattr(slave_, &initial_);
        start(command, [this] {
            setsid();
            ioctl(slave_, TIOCSCTTY, 0);
            for (const int fd : {0, 1, 2})
                dup2(slave_, fd);
        });
        output_ = master;
        input_ = dup(master);
    }

    void start_on_pipes(const std::vector<std::string>& command, Input input) {
        int to_program[2], from_program[2];
        if (pipe2(to_program, O_CLOEXEC) != 0 || pipe2(from_program, O_CLOEXEC) != 0) return;
        start(command, [&] {
            dup2(from_program[1], 1);
            dup2(from_program[1], 2);
            if (input == Input::Pipe)
                dup2(to_program[0], 0);
            else if (input == Input::Null)
                dup2(open("/dev/null", O_RDONLY), 0);
            else
                close(0);
        });
        close(to_program[0]);
        close(from_program[1]);
        input_ = to_program[1];
        output_ = from_program[0];
    }

    template <class Redirect>
    void start(const std::vector<std::string>& command, Redirect redirect) {
        std::vector<char*> words;
        for (const auto& word : command)
            words.push_back(const_cast<char*>(word.c_str()));
        words.push_back(nullptr);
        child_ = fork();
        if (child_ != 0) return;
        redirect();
        prepare_();
        for (int fd = 3; fd < 64; ++fd)
            close(fd);
        execv(words[0], words.data());
        _exit(127);
    }

    bool has_ended() {
        int status = 0;
        if (!status_ && waitpid(child_, &status, WNOHANG) == child_) {
            status_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
            for (pollfd end{output_, POLLIN, 0}; poll(&end, 1, 0) > 0 && receive();)
                continue;
        }
        return status_.has_value();
    }

    // A terminal's output does not end with the program: whether it has is looked up now and then.
    static Clock::time_point next_look(Clock::time_point deadline) {
        return std::min(deadline, Clock::now() + std::chrono::seconds{1});
    }

    // False at the end of the output.
    bool receive() {
        char bytes[4096];
        const ssize_t count = read(output_, bytes, sizeof bytes);
        if (count <= 0) return false;
        unread_.append(bytes, static_cast<std::size_t>(count));
        return true;
    }

    // Waits for a chance to write some of `keys` or to read, and does so. Nothing when time is up,
    // or output has ended.
    std::optional<std::size_t> exchange(std::string_view keys, Clock::time_point deadline) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
        pollfd ends[] = {{output_, POLLIN, 0}, {keys.empty() ? -1 : input_, POLLOUT, 0}};
        if (left < 0 || poll(ends, 2, static_cast<int>(left) + 1) <= 0) return std::nullopt;
        if (ends[0].revents != 0 && !receive()) return std::nullopt;
        if ((ends[1].revents & POLLOUT) == 0) return 0;
        const ssize_t sent = write(input_, keys.data(), std::min<std::size_t>(keys.size(), 64));
        return sent > 0 ? static_cast<std::size_t>(sent) : 0;
    }

    termios mode() const {
        termios mode{};
        tcgetattr(slave_, &mode);
        return mode;
    }

    void (*prepare_)();
    pid_t child_ = -1;
    int input_ = -1, output_ = -1, slave_ = -1;
    termios initial_{};
    std::optional<int> status_;
    std::string unread_;
};

// Arguments that boot the default guest.
inline std::vector<std::string> linux_guest(const std::string& command_line,
                                            std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"--kernel", paths::guest_kernel, "--initrd", paths::guest_initrd,
                               "--append", "console=ttyS0 " + command_line});
    return more;
}

}  // namespace backplane::test
