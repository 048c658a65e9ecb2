// What the compiler keeps of a block it has compiled.
#pragma once

#include "interp/block.h"
#include "tier1/locality.h"
#include "tier1/stack_use.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <list>
#include <memory_resource>

namespace backplane::jit {

struct Edge;
struct NativeBlock;

// What a direct jump to another page has found, as long as that is mapped there; or an instruction
// that goes on in another page. In the arena's data.
struct FarLink {
    std::uint64_t page_key = 0;   // Core::Compiled::page_key in front of it; 0: nothing found
    const void* entry = nullptr;  // Block::entry of where the jump goes
    Edge* edge = nullptr;         // null: it is an instruction
};

// A direct jump of compiled code that goes to another block once that is compiled, and out of the
// code until then.
struct Edge {
    std::uint16_t op = 0;             // the branch, or the one behind the last
    std::uint32_t displacement = 0;   // of the jump's last four bytes, in the arena
    std::uint32_t stub = 0;           // the way out, within a page
    std::uint32_t target_offset = 0;  // of the next instruction, in the page
    NativeBlock* target = nullptr;    // that the jump goes to
    std::uint32_t far_link = 0;       // to another page: where it is in the arena. 0: the same page
};

struct NativeBlock {
    // The memory is given back all at once.
    explicit NativeBlock(std::pmr::memory_resource& memory) : edges{&memory}, incoming{&memory} {}

    // The interpreter's, by op, as some of the block's own are replaced. First, for the glue.
    const void** handlers = nullptr;
    interp::Block* block = nullptr;
    // In the arena: what is executed often, from where other blocks enter,
    std::uint32_t start = 0, end = 0;
    std::uint32_t cold_start = 0, cold_end = 0;  // and what is not
    std::uint32_t far_links = 0, far_links_end = 0;
    // The far link that knows where the second page of the block's last instruction is mapped; 0:
    // all of the block is in one page.
    std::uint32_t second_page = 0;
    Locality::Known locality;
    bool keeps_all_flags = false;       // also where nobody seems to see them
    bool has_unknown_accesses = false;  // it would be other code if it were hot
    mutable StackSplits stack_splits;
    // What was at the way in before it was led elsewhere (Tier1Compiler::redirect).
    std::array<std::uint8_t, 5> start_code{};
    std::pmr::list<Edge> edges;
    std::pmr::forward_list<Edge*> incoming;

    bool is_valid() const { return block->compiled == this; }
};

}  // namespace backplane::jit
