#include "log_stream.h"

#include <cstdio>
#include <span>

namespace backplane::character {

// A guest that never ends its line shall not fill our memory.
constexpr std::size_t longest_line = 4096;

void LogStream::declare(Declaration<LogStream>& d) {
    d.type("character.log", "Writes each line of output to the log, at level info; gives no input");
    static constexpr backplane_character functions{
        sizeof(backplane_character), 0, [](void*, const backplane_character_receiver*) {},
        [](void* object, const std::uint8_t* data, std::uint32_t length) {
            return static_cast<LogStream*>(object)->send(data, length);
        },
        [](void*) {}};
    d.provides("stream", functions, "Lines of text");
}

std::uint32_t LogStream::send(const std::uint8_t* data, std::uint32_t length) {
    for (const std::uint8_t byte : std::span{data, length}) {
        if (byte == '\n') {
            finish_line();
            continue;
        }
        if (byte == '\r') continue;
        if (byte >= ' ' || byte == '\t') {
            line_ += static_cast<char>(byte);
        } else {
            char escaped[5];
            std::snprintf(escaped, sizeof escaped, "\\x%02x", byte);
            line_ += escaped;
        }
        if (line_.size() >= longest_line) finish_line();
    }
    return length;
}

void LogStream::stop() {
    if (!line_.empty()) finish_line();
}

void LogStream::finish_line() {
    log(LogLevel::Info, line_);
    line_.clear();
}

}  // namespace backplane::character
