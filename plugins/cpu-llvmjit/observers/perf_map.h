// Tells Linux perf what compiled code is: lines "START SIZE NAME" in /tmp/perf-PID.map, which perf
// reads when it reports (tools/perf/Documentation/jit-interface.txt of Linux).
#pragma once

#include "code_watcher.h"

#include <expected>
#include <memory>
#include <string>

namespace backplane::jit {

class PerfMap final : public CodeWatcher {
public:
    // All processors of the program have one file. It stays behind the program's end; perf goes on
    // to need it. The error is a reason for the user.
    static std::expected<PerfMap, std::string> open();

    void began(const CodeMemory& memory) override;
    void installed(const InstalledCode& code) override;

private:
    class File;

    explicit PerfMap(std::shared_ptr<File> file) : file_{std::move(file)} {}

    std::shared_ptr<File> file_;
};

}  // namespace backplane::jit
