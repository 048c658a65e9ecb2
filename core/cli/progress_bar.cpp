#include "cli/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <utility>

namespace backplane::cli {

namespace {

volatile std::sig_atomic_t is_stopped = 0;

void stop(int) { is_stopped = 1; }

}  // namespace

std::string size_text(std::uint64_t bytes) {
    constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    auto value = static_cast<double>(bytes);
    std::size_t unit = 0;
    while (value >= 1024 && unit + 1 < units.size())
        value /= 1024, ++unit;
    const bool is_whole = value == static_cast<double>(static_cast<std::uint64_t>(value));
    return fmt::format("{:.{}f} {}", value, is_whole ? 0 : 1, units[unit]);
}

ProgressBar::ProgressBar(std::string what)
    : what_{std::move(what)}, is_shown_{isatty(STDERR_FILENO) != 0} {
    is_stopped = 0;
    for (const int signal : {SIGINT, SIGTERM})
        std::signal(signal, stop);
}

ProgressBar::~ProgressBar() {
    if (has_line_) std::fputc('\n', stderr);
    for (const int signal : {SIGINT, SIGTERM})
        std::signal(signal, SIG_DFL);
}

bool ProgressBar::show(std::uint64_t done, std::uint64_t all) {
    const auto now = Clock::now();
    if (!is_shown_ || (now < next_ && done != all)) return is_stopped == 0;
    next_ = now + std::chrono::milliseconds{100};
    constexpr std::size_t width = 30;
    const double part = all == 0 ? 1 : static_cast<double>(done) / static_cast<double>(all);
    const auto filled = static_cast<std::size_t>(part * width);
    const double seconds = std::chrono::duration<double>(now - start_).count();
    const auto rate = static_cast<std::uint64_t>(static_cast<double>(done) / (seconds + 0.001));
    fmt::print(stderr, "\r{} [{:=<{}}{: <{}}] {:3.0f} %  {} of {}  {}/s\x1b[K", what_, "", filled,
               "", width - filled, part * 100, size_text(done), size_text(all), size_text(rate));
    std::fflush(stderr);
    has_line_ = true;
    return is_stopped == 0;
}

}  // namespace backplane::cli
