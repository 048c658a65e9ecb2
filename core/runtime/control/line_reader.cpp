#include "runtime/control/line_reader.h"

namespace backplane::runtime::control {

void LineReader::feed(std::string_view bytes) {
    pending_.erase(0, taken_);
    searched_ -= taken_;
    taken_ = 0;
    pending_ += bytes;
}

std::optional<LineReader::Line> LineReader::next() {
    const std::size_t end = pending_.find('\n', searched_);
    if (end == std::string::npos) {
        searched_ = pending_.size();
        if (skipping_ || searched_ - taken_ > longest_line) {
            skipping_ = true;
            taken_ = searched_;
        }
        return std::nullopt;
    }
    Line line{.text = pending_.substr(taken_, end - taken_), .is_too_long = skipping_};
    taken_ = searched_ = end + 1;
    skipping_ = false;
    if (line.text.size() > longest_line) line.is_too_long = true;
    if (line.is_too_long) line.text.clear();
    if (line.text.ends_with('\r')) line.text.pop_back();
    return line;
}

}  // namespace backplane::runtime::control
