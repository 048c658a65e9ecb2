// Return addresses on the guest's stack: along frame pointers where code keeps them, and otherwise
// all that is behind a call (profile/call_chain.h finds out which of those matter).
#pragma once

#include "profile/recording.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace backplane::profiler {

// Guest memory by linear address; gives the bytes read.
class GuestMemory {
public:
    virtual std::size_t read(std::uint64_t linear, std::span<std::byte> bytes) = 0;

protected:
    ~GuestMemory() = default;
};

// What was found in front of addresses in the kernel's code, which is the same in all address
// spaces and hardly ever changes. Forgotten now and then.
class KnownCalls {
public:
    struct Entry {
        std::uint64_t address = 0;
        std::uint64_t target = 0;
        bool is_call = false;
    };

    Entry& at(std::uint64_t address) { return entries_[address * 0x9e37'79b9'7f4a'7c15 >> 52]; }
    void forget() { entries_.assign(entries_.size(), {}); }

private:
    std::vector<Entry> entries_ = std::vector<Entry>(4096);
};

struct StackPlace {
    std::uint64_t pc = 0, stack_pointer = 0, frame_pointer = 0;
    bool is_user = false;
    unsigned code_size = 64;
};

// The innermost first. None of 16-bit code, where a return address is no address.
[[nodiscard]] std::vector<profile::Caller> walk_stack(GuestMemory& memory, KnownCalls& known,
                                                      const StackPlace& place, std::size_t most);

}  // namespace backplane::profiler
