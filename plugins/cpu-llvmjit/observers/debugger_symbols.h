// Tells GDB what compiled code is, so that it names blocks and finds its way out of them.
#pragma once

#include "code_watcher.h"
#include "observers/debugger_interface.h"
#include "observers/elf_image.h"

#include <vector>

namespace backplane::jit {

// Each block is told at once, in a file of its own. A debugger takes long for many files, so that
// as soon as some of a size are there, they become one: of n blocks there are about log n files.
class DebuggerSymbols final : public CodeWatcher {
public:
    void installed(const InstalledCode& code) override;
    void released(const ReleasedCode& code) override;

private:
    static constexpr std::size_t merged_at_once = 16;

    struct Batch {
        std::size_t first;  // of its blocks
        unsigned rank;      // merges that it was made by
        DebuggerFile file;
    };

    // Whether addresses are lower again, as memory is used anew: there a file has to end.
    bool starts_over_behind(std::size_t first) const {
        return hot_.back().start < hot_[first].start;
    }
    void add_batch(std::size_t first, std::size_t end);
    DebuggerFile file_of(std::size_t first, std::size_t end) const;

    std::vector<NamedCode> hot_, cold_;  // of all blocks
    std::vector<Batch> batches_;
};

}  // namespace backplane::jit
