// GDB's interface for compilers at run time (GDB manual, "JIT Compilation Interface"; LLDB has it
// too): object files in memory, in a list that the debugger reads when it is told.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace backplane::jit {

// An object file that a debugger knows as long as this exists.
class DebuggerFile {
public:
    // [any]
    explicit DebuggerFile(std::vector<std::byte> image);
    DebuggerFile(DebuggerFile&&) noexcept;
    DebuggerFile& operator=(DebuggerFile&&) noexcept;
    ~DebuggerFile();

private:
    struct Entry;
    std::unique_ptr<Entry> entry_;
};

}  // namespace backplane::jit
