// The ways between compiled code and what is around it (glue.h): where the code of blocks jumps to,
// within reach of all of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace backplane::jit {

enum class Way : std::uint8_t {
    Enter,
    Resume,
    LeaveUntranslated,
    LeaveAccess,
    LeaveTarget,
    LeaveValue,
    LeaveSecondPage,
    NeedBudget,
    LeaveByEdge,
    LeaveToBlock,
    LeaveToRegion,
    LoadXmm,
    LoadYmm,
    LoadX87,
    RecallRead,
    RecallWrite,
    RecallStackRead,
    RecallStackWrite,
    RefillRead,
    RefillWrite,
    LinkFar,
    FindTarget,
    CheckSecondPage,
    Count,
};

// In the arena, in front of them: for PEXT, the bits of an address that x86::fast_index takes.
constexpr std::uint32_t fast_index_mask = 0;

// Where each is in the arena.
using Ways = std::array<std::uint32_t, static_cast<std::size_t>(Way::Count)>;

constexpr const char* name_of(Way way) {
    constexpr const char* names[] = {"enter",
                                     "resume",
                                     "leave: not translated",
                                     "leave: access",
                                     "leave: target",
                                     "leave: value",
                                     "leave: second page",
                                     "need budget",
                                     "leave: edge",
                                     "leave: to a block",
                                     "leave: to tier 2",
                                     "load xmm",
                                     "load ymm",
                                     "load x87",
                                     "recall to read",
                                     "recall to write",
                                     "recall the stack to read",
                                     "recall the stack to write",
                                     "refill to read",
                                     "refill to write",
                                     "link to another page",
                                     "find a target",
                                     "check of the second page"};
    static_assert(std::size(names) == static_cast<std::size_t>(Way::Count));
    return names[static_cast<std::size_t>(way)];
}

}  // namespace backplane::jit
