// The child process that executes cases.
#pragma once

#include "case.h"
#include "native_process.h"

#include <atomic>

namespace backplane::oracle {

struct ChildShared {
    std::array<Case, NativeProcess::batch_size> cases;
    std::array<Result, NativeProcess::batch_size> results;
    volatile std::size_t next = 0, count = 0;  // the case being executed, and behind the last one
    volatile bool ready = false, has_local_table = false;
};

// Reads a byte from `from` before each batch and writes one to `to` behind it.
[[noreturn]] void run_child(ChildShared& shared, int code_file, int from, int to);

}  // namespace backplane::oracle
