// How far a long piece of work is, on the last line of a terminal. Ctrl-C ends the work in order.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace backplane::cli {

class ProgressBar {
public:
    // Nothing is shown where standard error is no terminal.
    explicit ProgressBar(std::string what);
    ~ProgressBar();
    ProgressBar(const ProgressBar&) = delete;
    ProgressBar& operator=(const ProgressBar&) = delete;

    // False: stop.
    bool show(std::uint64_t done, std::uint64_t all);

private:
    using Clock = std::chrono::steady_clock;

    std::string what_;
    bool is_shown_;
    bool has_line_ = false;
    Clock::time_point start_ = Clock::now(), next_ = start_;
};

// "1.5 GiB".
std::string size_text(std::uint64_t bytes);

}  // namespace backplane::cli
