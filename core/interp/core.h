// The part of the interpreter that handlers touch: registers, budget, translations and the way to
// the next block.
#pragma once

#include "interp/block.h"
#include "interp/counters.h"
#include "x86/cpu_state.h"
#include "x86/fault.h"
#include "x86/paging.h"
#include "x86/system_services.h"
#include "x86/tlb.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace backplane::interp {

// Finds the block at a RIP without translating it. The tag is RIP exclusive-or a key that changes
// with privilege, mode and every flush, so that nothing has to be cleared.
struct JumpCacheEntry {
    std::uint64_t tag = 0;
    Block* block = nullptr;
    const void* entry = nullptr;  // Block::entry as it was when this was noted
    std::uint64_t page_ip = 0;    // RIP of the first byte of the page that the block begins in
};

// As many as 16 bits tell apart, which takes compiled code one instruction.
constexpr std::size_t jump_cache_size = 65536;

constexpr std::size_t jump_cache_index(std::uint64_t ip) { return ip & (jump_cache_size - 1); }

// Through which first-level TLB an access goes: what is in one needs no further check.
enum class View : std::uint8_t {
    Supervisor,  // also all implicit accesses, to descriptor tables and the like
    User,
    SupervisorUserData,  // EFLAGS.AC lifts SMAP
    UserAligned,         // EFLAGS.AC and CR0.AM: never filled, so that each access is looked at
};
constexpr std::size_t view_count = 4;

constexpr x86::Privilege privilege_of(View view) {
    return view == View::Supervisor || view == View::SupervisorUserData ? x86::Privilege::Supervisor
                                                                        : x86::Privilege::User;
}

// No linear address: accesses there raise Core::unreachable_fault (Machine::unreachable).
constexpr std::uint64_t unreachable_address = std::uint64_t{1} << 62;
constexpr bool is_unreachable(std::uint64_t linear) { return linear >> 48 == 0x4000; }

// Why the handlers returned to the run loop.
enum class Exit : std::uint8_t {
    Budget,  // rip names the next instruction; the block there did not fit, or attention is wanted
    Lookup,  // rip names the next instruction, whose block has to be found
    Leave,   // likewise, and the instruction before may have changed anything
    Again,   // rip names an instruction that wants to be executed again
    Fault,   // `fault` is raised by the instruction at rip
};

// Processors that rename memory tell two places behind one register apart by the lowest bits of the
// offset only (AMD family 1Ah: nine or ten of them, told from which layouts were slow), and what is
// taken for the other costs as much as a mispredicted branch. So what compiled code writes all the
// time, the general registers among it, is in the first half of 512 bytes, and what it only reads
// and compares is in the second.
struct alignas(512) Core {
    x86::CpuState state;

    // Instructions that may still be executed. Another thread asks for attention by subtracting
    // `attention_weight`; a plain read-modify-write here may lose that, so that such requests are
    // also remembered elsewhere. Compiled code takes a part at a time to a register.
    alignas(512) std::atomic<std::int64_t> budget{0};
    Block* block = nullptr;  // being executed
    std::uint64_t jump_key = 0;
    std::uint64_t link_key = 0;  // the same for compiled code, to be added to a page's address
    x86::Fault fault{}, unreachable_fault{};
    bool fault_raised = false;  // set by every raise; cleared by who wants to know
    Exit exit = Exit::Budget;
    const Op* access_op = nullptr;  // the last op that asked for a service or a device
    std::uint64_t rep_iterations = 0;
    x86::SystemServices* services = nullptr;
    alignas(16) std::array<std::uint8_t, 64> transfer{};  // between handlers and slow accesses

    // Of compiled code.
    struct Compiled {
        std::uint64_t page_ip = 0;     // RIP of the first byte of the page that is being executed
        std::uint64_t page_key = 0;    // and link_key: while it is the same, so is what is mapped
        std::uint64_t target_ip = 0;   // where a branch to another page goes, to find its link
        std::uint64_t kept = 0;        // by an instruction while it makes a second access
        std::uint64_t stack_host = 0;  // where the host has what a block uses of the stack
        const x86::FastPages* pages = nullptr;
        const bool* interrupt_request = nullptr;  // others change it
        // The host's RBP, which handlers keep, and its stack.
        std::uint64_t frame = 0, host_stack = 0;
        // How much of the vector registers may be used, and is in the host's: 0, 1: XMM, 2: YMM.
        std::uint8_t vectors = 0;
        std::uint8_t vector_size = 1;  // the same of the processor model
        // The x87 unit may be used, and its registers and words are in the host's.
        bool x87 = false;
        // Of the last instruction and the last memory operand there since then, if any: the opcode
        // as FOP has it, and the segment. Their selectors are not in CpuState yet.
        std::uint32_t x87_opcode = nothing, x87_segment = nothing;

        static constexpr std::uint32_t nothing = ~std::uint32_t{0};
        bool fs_is_unlimited = false, gs_is_unlimited = false;  // x86::is_unlimited
        bool wants_remake = false;                              // Compiler::remake
    } compiled;

    // Of the views whose first level is ever filled.
    std::array<x86::RecentPages, view_count - 1> recent;
    void forget_recent() {
        for (x86::RecentPages& pages : recent)
            pages.forget();
    }

    // Of compiled code, too: how many more accesses of an instruction, by hash, may miss their
    // recent page before somebody looks at it; and executions of hot blocks.
    std::array<std::uint8_t, 4096> recalls{};
    struct alignas(512) Executions {
        std::array<std::byte, 224> apart;  // from what else is written
        std::array<std::uint32_t, 8> counters;
    };
    std::array<Executions, 32> hot_executions{};
    std::uint32_t& hot_executions_of(std::size_t counter) {
        constexpr std::size_t together = 8;
        return hot_executions[counter / together].counters[counter % together];
    }

    std::array<x86::FastTlb, view_count> tlb{};
    View view = View::Supervisor;  // of the code being executed
    std::array<JumpCacheEntry, jump_cache_size> jump_cache{};
    Counters counts{};

    void count(Counter counter, std::uint64_t times = 1) {
        counts[static_cast<std::size_t>(counter)] += times;
    }

    x86::Privilege privilege() const {
        return state.cpl == 3 ? x86::Privilege::User : x86::Privilege::Supervisor;
    }

    const x86::FastPages* pages(View through) const {
        return &tlb[static_cast<std::size_t>(through)].pages;
    }
};

// Far more than any budget, and a thousand requests at once do not overflow it.
constexpr std::int64_t attention_weight = std::int64_t{1} << 52;

}  // namespace backplane::interp
