// Tier 1: makes machine code of single blocks, and chains it.
#pragma once

#include "code_watcher.h"
#include "interp/compiler.h"
#include "interp/interpreter.h"
#include "jit_counters.h"
#include "tier1/assembler.h"
#include "tier1/code_arena.h"
#include "tier1/code_map.h"
#include "tier1/native_block.h"
#include "tier1/untranslated.h"
#include "tier1/way.h"
#include "x86/cpu_model.h"
#include "x86/decoder.h"
#include "x86/instruction.h"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory_resource>
#include <optional>
#include <span>
#include <vector>

namespace backplane::jit {

class Tier1Compiler final : public interp::Compiler {
public:
    Tier1Compiler(const x86::CpuModel& model, CodeArena arena);

    void attach(interp::Interpreter& cpu) override;
    void compile(interp::Block& block, std::span<const x86::Instruction> instructions) override;
    void created(interp::Block& block) override;
    void dropped(interp::Block& block) override;
    void release() override;
    void forget_links() override;
    bool is_full() const override {
        return first_cold_ - hot_ < largest_block || arena_.size() - cold_ < largest_block ||
               far_links_.size() - used_far_links_ < most_far_links;
    }

    // [vcpu] The current block was left behind `op` by an edge that has no jump yet: where to,
    // which is state.rip then. Null: a block for it has yet to be found.
    interp::Block* follow(const interp::Op& op);
    // [vcpu] A jump to another page was found in the jump cache. False: not to compiled code.
    bool link(FarLink& link);

    // ---- For who looks into it ----

    // [vcpu] From now on; it outlives this.
    void watch(CodeWatcher& watcher);
    // [any]
    const JitCounters& counters() const { return counters_; }
    // [vcpu, outside run]
    const Untranslated& untranslated() const { return untranslated_; }
    interp::Interpreter& cpu() const { return *cpu_; }
    const x86::CpuModel& model() const { return model_; }
    const Ways& ways() const { return ways_; }
    // Of the host, where it is executed; and back. Null: it is in no code.
    const std::uint8_t* address_of(Place place) const { return arena_.executable() + place; }
    std::optional<Place> place_of(const void* host) const;
    // [vcpu, outside run] Whose code this is. Null: none's, or none's that is still valid.
    const NativeBlock* block_at(Place place) const;
    // [vcpu, outside run] What is where in the code of a valid block.
    CodeMap map_of(const NativeBlock& native);
    // The instructions of a block up to one that cannot be decoded, until this is asked again.
    std::span<const x86::Instruction> decode(const interp::Block& block);

private:
    // More than any block of 64 instructions becomes.
    static constexpr std::size_t largest_block = std::size_t{64} << 10, most_far_links = 66;

    void make_ways();
    bool make(interp::Block& block, std::span<const x86::Instruction> instructions);
    void chain(const Edge& edge, const interp::Block& target);
    void tell(const NativeBlock& native, unsigned untranslated, std::uint64_t nanoseconds);
    std::size_t used() const { return hot_ + (cold_ - first_cold_); }
    void patch(std::uint32_t displacement, std::uint32_t target);
    FarLink& far_link(Place place) { return far_links_[(place - arena_.size()) / sizeof(FarLink)]; }

    const x86::CpuModel& model_;
    x86::Decoder decoder_;
    std::vector<x86::Instruction> decoded_;  // by `decode`
    CodeArena arena_;
    Ways ways_{};
    // What is executed often is apart from what is not, so that it needs less of the caches.
    Place first_hot_ = 0, first_cold_ = 0, hot_ = 0, cold_ = 0;
    std::span<FarLink> far_links_;  // in the arena's data
    std::size_t used_far_links_ = 0;
    interp::Interpreter* cpu_ = nullptr;
    std::pmr::monotonic_buffer_resource native_memory_;  // of these:
    std::deque<NativeBlock> blocks_;                     // in the order of their places
    std::vector<std::byte> workspace_ = std::vector<std::byte>(std::size_t{64} << 10);
    std::size_t valid_blocks_ = 0;
    Untranslated untranslated_;
    JitCounters counters_;
    std::vector<CodeWatcher*> watchers_;
};

}  // namespace backplane::jit
