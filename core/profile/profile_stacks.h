// A recording as stacks of named frames: what every way of showing it begins with.
#pragma once

#include "profile/recording.h"
#include "profile/symbolizer.h"

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

namespace backplane::profile {

// Of which kind a frame is, for colours and categories.
enum class FrameKind : std::uint8_t { Idle, Kernel, User, Emulator };
constexpr std::size_t frame_kind_count = 4;
const char* name_of(FrameKind kind);

struct Function {
    std::string name, module;  // of the file with its symbol; empty: it has none
    FrameKind kind;
};

struct Frame {
    std::size_t function;
    std::uint64_t address;  // 0: none
};

class ProfileStacks {
public:
    // Frames of other modules are left out, if any are named (by file name; "kernel" is all that
    // runs as the kernel).
    ProfileStacks(const Recording& recording, const Symbolizer& symbols,
                  std::vector<std::string> modules = {});

    const Recording& recording() const { return recording_; }
    const std::vector<Function>& functions() const { return functions_; }
    // The outermost frame first. What the emulator itself did, other than execute, is a frame of
    // its own inside of all others.
    std::vector<Frame> stack(const Sample& sample);

private:
    std::size_t function(Function function);
    std::size_t function_at(const Sample& sample, std::uint64_t instruction);
    bool is_shown(const Function& function) const;

    const Recording& recording_;
    const Symbolizer& symbols_;
    std::vector<std::string> modules_;
    std::vector<Function> functions_;
    std::map<std::tuple<std::string, std::string, FrameKind>, std::size_t> by_name_;
};

}  // namespace backplane::profile
