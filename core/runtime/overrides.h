// Settings given on the command line, which come after everything that files say: `-p
// cpu0.type=cpu.llvmjit`.
#pragma once

#include <string>

namespace backplane::runtime {

struct Override {
    std::string spelled;  // as shown in messages: "-p cpu0.type=cpu.llvmjit", "-m 512M"
    std::string path;     // "cpu0.type", "machine.clock", "plugins", "console" (a whole device)
    std::string value;
    // `value` is the text itself, never a YAML list, map, quoted string or null
    bool verbatim = false;

    // The argument of -p: PATH=VALUE. The value is a YAML list, map or quoted string when it starts
    // like one, and the text as it stands otherwise. Without a `=` the path is empty, which reading
    // the machine file reports.
    [[nodiscard]] static Override assignment(const std::string& argument);
    // Another option that sets `path`, as `-m 512M` sets ram0.size to "512 MiB".
    [[nodiscard]] static Override option(std::string spelled, std::string path, std::string value);
};

}  // namespace backplane::runtime
