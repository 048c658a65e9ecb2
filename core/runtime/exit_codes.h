// What the `backplane` program's exit status means. Scripts rely on these numbers.
#pragma once

#include <array>

namespace backplane::runtime {

enum class ExitCode : int {
    Ok = 0,
    InternalError = 1,
    BadInput = 2,
    PluginProblem = 3,
    GuestFailure = 4,
    Timeout = 5,
    Different = 6,
    Damaged = 7,
};

struct ExitCodeMeaning {
    ExitCode code;
    const char* text;
};

// Printed by `backplane --help`.
inline constexpr std::array exit_code_meanings{
    ExitCodeMeaning{ExitCode::Ok, "done; for run: the guest powered off or halted for good"},
    ExitCodeMeaning{ExitCode::InternalError, "a fault of Backplane or its host: please report it"},
    ExitCodeMeaning{ExitCode::BadInput, "a bad command line or machine file"},
    ExitCodeMeaning{ExitCode::PluginProblem, "a plugin was not found, or refused"},
    ExitCodeMeaning{ExitCode::GuestFailure, "the guest failed: triple fault or shutdown"},
    ExitCodeMeaning{ExitCode::Timeout, "the time limit passed"},
    ExitCodeMeaning{ExitCode::Different, "diff: the engines differ"},
    ExitCodeMeaning{ExitCode::Damaged, "image check: the image has errors"},
};

// A guest chooses other codes by writing v to isa-debug-exit: (v << 1) | 1, of which the shell sees
// 8 bits.
inline constexpr int debug_exit_code(unsigned value) { return static_cast<int>((value << 1) | 1); }

}  // namespace backplane::runtime
