// A terminal's whole screen, drawn again and again, and given back as it was: when this ends, when
// a signal ends the program, and while it is stopped.
#pragma once

#include <termios.h>

#include <chrono>
#include <string>
#include <vector>

namespace backplane::cli {

class TopScreen {
public:
    // Whether standard input and output are a terminal that can be drawn on.
    static bool is_possible();

    // One at a time.
    TopScreen();
    ~TopScreen();
    TopScreen(const TopScreen&) = delete;
    TopScreen& operator=(const TopScreen&) = delete;

    // As much as fits.
    void draw(const std::vector<std::string>& lines) const;

    enum class Event { Time, Resized, Quit };
    // Until then, until somebody changes the terminal's size, or wants to leave: with q, Ctrl-C,
    // or by a signal.
    Event wait(std::chrono::steady_clock::time_point until);
    // Somebody wants to leave.
    [[nodiscard]] static bool is_over();
    // The signal by which; 0: none, it was a key.
    [[nodiscard]] static int signal();

private:
    void enter() const;
    void leave() const;
    // Stops, as Ctrl-Z wants, and goes on.
    void suspend() const;

    termios before_{};
};

}  // namespace backplane::cli
