// Cuts what a client sends into lines, and bounds them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace backplane::runtime::control {

// Room for half a mebibyte of memory in hexadecimal digits, with what belongs around it.
inline constexpr std::size_t longest_line = (1 << 20) + (1 << 12);

class LineReader {
public:
    void feed(std::string_view bytes);

    struct Line {
        std::string text;          // without its end, "\n" or "\r\n"
        bool is_too_long = false;  // then `text` is empty
    };
    // The oldest complete line that was not given yet.
    [[nodiscard]] std::optional<Line> next();

    // Bytes held: at most a line's, plus what the last feed brought.
    [[nodiscard]] std::size_t held() const { return pending_.size() - taken_; }

private:
    std::string pending_;
    std::size_t taken_ = 0;     // bytes of pending_ that were given
    std::size_t searched_ = 0;  // no line ends before this byte
    bool skipping_ = false;     // the line under way is too long
};

}  // namespace backplane::runtime::control
