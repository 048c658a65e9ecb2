#include "cli/top_screen.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <utility>

namespace backplane::cli {

namespace {

// Of ECMA-48, and of xterm the screen besides the usual one, which every terminal of today has.
constexpr std::string_view begin = "\x1b[?1049h\x1b[?25l", end = "\x1b[?25h\x1b[?1049l";
constexpr std::string_view home = "\x1b[H", rest_of_line = "\x1b[K", rest_of_screen = "\x1b[J";

// A signal's handler writes its number here, so that whoever waits sees it, however soon it comes.
std::array<int, 2> signals{-1, -1};
volatile std::sig_atomic_t leaving = 0;
constexpr std::array leaving_signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr std::array other_signals{SIGWINCH, SIGTSTP};

void on_signal(int number) {
    const int error = errno;
    for (const int each : leaving_signals)
        if (number == each) leaving = number;
    const auto byte = static_cast<char>(number);
    [[maybe_unused]] const ssize_t written = write(signals[1], &byte, 1);
    errno = error;
}

void handle(int number, void (*handler)(int), int flags) {
    struct sigaction action{};
    action.sa_handler = handler;
    action.sa_flags = flags;
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, nullptr);
}

void print(std::string_view text) {
    while (!text.empty()) {
        const ssize_t count = write(STDOUT_FILENO, text.data(), text.size());
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(count));
    }
}

}  // namespace

bool TopScreen::is_possible() {
    const char* terminal = std::getenv("TERM");
    return isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0 && terminal != nullptr &&
           *terminal != '\0' && std::string_view{terminal} != "dumb";
}

TopScreen::TopScreen() {
    tcgetattr(STDIN_FILENO, &before_);
    leaving = 0;
    if (pipe2(signals.data(), O_CLOEXEC | O_NONBLOCK) != 0) signals = {-1, -1};
    // What waits for a reply is interrupted by those after which nobody wants one.
    for (const int number : leaving_signals)
        handle(number, on_signal, 0);
    for (const int number : other_signals)
        handle(number, on_signal, SA_RESTART);
    enter();
}

TopScreen::~TopScreen() {
    leave();
    for (const int number : leaving_signals)
        handle(number, SIG_DFL, 0);
    for (const int number : other_signals)
        handle(number, SIG_DFL, 0);
    for (int& descriptor : signals)
        close(std::exchange(descriptor, -1));
}

void TopScreen::enter() const {
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    raw.c_cc[VMIN] = 1;
    raw.c_cc[VTIME] = 0;
    tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    print(begin);
}

void TopScreen::leave() const {
    print(end);
    tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

void TopScreen::suspend() const {
    leave();
    handle(SIGTSTP, SIG_DFL, 0);
    // It is not blocked, so this returns when somebody continues the program.
    std::raise(SIGTSTP);
    handle(SIGTSTP, on_signal, SA_RESTART);
    enter();
}

void TopScreen::draw(const std::vector<std::string>& lines) const {
    winsize size{};
    const bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row != 0 &&
                          size.ws_col != 0;
    constexpr unsigned usual_rows = 24, usual_columns = 80;
    const std::size_t rows = is_known ? size.ws_row : usual_rows,
                      columns = is_known ? size.ws_col : usual_columns;
    std::string text{home};
    for (std::size_t row = 0; row < std::min(rows, lines.size()); ++row) {
        if (row != 0) text += "\r\n";
        text.append(lines[row], 0, columns);
        text += rest_of_line;
    }
    print(text += rest_of_screen);
}

TopScreen::Event TopScreen::wait(std::chrono::steady_clock::time_point until) {
    while (!is_over()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
            until - std::chrono::steady_clock::now());
        if (left.count() <= 0) return Event::Time;
        std::array<pollfd, 2> inputs{{{STDIN_FILENO, POLLIN, 0}, {signals[0], POLLIN, 0}}};
        if (poll(inputs.data(), inputs.size(), static_cast<int>(left.count())) <= 0) continue;
        char byte = 0;
        if (inputs[0].revents != 0) {
            // The terminal may be gone.
            if (read(STDIN_FILENO, &byte, 1) != 1 || byte == 'q' || byte == 'Q') return Event::Quit;
        }
        if (inputs[1].revents == 0 || read(signals[0], &byte, 1) != 1) continue;
        if (byte == SIGTSTP) suspend();
        if (byte == SIGTSTP || byte == SIGWINCH) return Event::Resized;
    }
    return Event::Quit;
}

bool TopScreen::is_over() { return leaving != 0; }
int TopScreen::signal() { return leaving; }

}  // namespace backplane::cli
