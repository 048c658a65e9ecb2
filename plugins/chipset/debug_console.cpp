#include "debug_console.h"

namespace backplane::chipset {

// A guest that never ends a line does not make ours grow.
constexpr std::size_t longest_line = 512;

void DebugConsole::declare(Declaration<DebugConsole>& d) {
    d.type("chipset.debug-console", "Port that prints what the guest writes");
    d.property("readback", &DebugConsole::readback_,
               "Value read from the port, by which a guest sees that it is there")
        .range(std::uint8_t{0}, std::uint8_t{0xff});
    d.port_window<&DebugConsole::read, &DebugConsole::write>("port", 1, "The port, 0xE9 by custom",
                                                             1)
        .reg(0, "DATA", "Writes print a byte, reads give the readback value");
    d.connects("stream", &DebugConsole::stream_,
               "Where the bytes go; without it they become log lines", Optional::Yes);
    d.counter("bytes", &DebugConsole::bytes_, "bytes", "Bytes printed");
}

void DebugConsole::write(std::uint64_t, unsigned, std::uint64_t value) {
    const auto byte = static_cast<std::uint8_t>(value);
    ++bytes_;
    if (stream_) {
        // A debug aid never stops the guest: what a full stream does not take is dropped.
        stream_.call<&backplane_character::send>(&byte, std::uint32_t{1});
        return;
    }
    if (byte == '\n' || line_.size() == longest_line) log_line();
    if (byte != '\n' && byte != '\r') line_.push_back(static_cast<char>(byte));
}

void DebugConsole::log_line() {
    if (!line_.empty()) log(LogLevel::Info, line_);
    line_.clear();
}

}  // namespace backplane::chipset
