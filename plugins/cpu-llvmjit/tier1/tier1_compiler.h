// Tier 1: makes machine code of single blocks, and chains it.
#pragma once

#include "code_watcher.h"
#include "interp/compiler.h"
#include "interp/interpreter.h"
#include "jit_counters.h"
#include "tier1/assembler.h"
#include "tier1/code_arena.h"
#include "tier1/code_cache.h"
#include "tier1/code_map.h"
#include "tier1/locality.h"
#include "tier1/native_block.h"
#include "tier1/sampled_code.h"
#include "tier1/untranslated.h"
#include "tier1/way.h"
#include "upper_tier.h"
#include "x86/cpu_model.h"
#include "x86/decoder.h"
#include "x86/instruction.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <optional>
#include <span>
#include <vector>

namespace backplane::jit {

class Tier1Compiler final : public interp::Compiler {
public:
    static constexpr std::size_t default_blocks = 400'000;

    // Keeps code of at most so many blocks. The tier above may be none.
    Tier1Compiler(const x86::CpuModel& model, CodeArena arena,
                  std::size_t max_blocks = default_blocks,
                  std::unique_ptr<UpperTier> upper = nullptr);

    void attach(interp::Interpreter& cpu) override;
    void compile(const interp::HotBlock& hot,
                 std::span<const x86::Instruction> instructions) override;
    void created(interp::Block& block) override;
    void dropped(interp::Block& block) override;
    void release() override;
    void forget_links() override;
    bool is_full() const override { return is_full_ || (upper_ && upper_->is_full()); }
    bool make_room(interp::BlockCache& blocks) override;
    void remake(interp::BlockCache& blocks) override;
    std::optional<interp::CompiledPlace> place_of(const interp::HostRegisters& host) override;
    void return_budget(interp::HostRegisters& host) override;

    // [vcpu] The current block was left behind `op` by an edge that has no jump yet: where to,
    // which is state.rip then. Null: a block for it has yet to be found.
    interp::Block* follow(const interp::Op& op);
    // [vcpu] An access of this instruction has missed its recent page again, often enough to look
    // at it. `from` is behind the call.
    void recalled(const void* from, unsigned instruction);
    // [vcpu] What a block has of the stack, so many bytes, is not in one page, or not in the
    // first-level TLB. `from` is behind the call.
    void lost_stack(const void* from, std::uint64_t linear, std::uint32_t size);
    // [vcpu] A jump to another page was found in the jump cache. False: not to compiled code.
    bool link(FarLink& link);
    // [vcpu] Whether the block's second page is mapped behind the page that is being executed.
    bool finds_second_page(const interp::Block& block);

    // ---- For the tier above ----

    // [vcpu] A block that it has taken: compiled from now on, though there is no code here. False:
    // there is no room.
    bool keep(interp::Block& block);
    // [vcpu] What leads to this code now leads to the block's first op, whose handler is another
    // one; and back. False: there is no room.
    bool redirect(NativeBlock& native);
    void restore(const NativeBlock& native);
    // [vcpu] The budget has ended in front of this block.
    void sampled(interp::Block& block);
    JitCounters& own_counters() { return counters_; }
    void publish_counters() {
        count_blocks();
        counters_.publish();
    }
    const std::vector<CodeWatcher*>& watchers() const { return watchers_; }
    const x86::Decoder& decoder() const { return decoder_; }

    // ---- For who looks into it ----

    // [vcpu] From now on; it outlives this.
    void watch(CodeWatcher& watcher);
    // [any]
    const JitCounters& counters() const { return counters_; }
    // [vcpu, outside run]
    const Untranslated& untranslated() const { return untranslated_; }
    interp::Interpreter& cpu() const { return *cpu_; }
    const x86::CpuModel& model() const { return model_; }
    const UpperTier* upper() const { return upper_.get(); }
    const Ways& ways() const { return ways_; }
    // Of the host, where it is executed; and back. Null: it is in no code.
    const std::uint8_t* address_of(Place place) const { return cache_.executable() + place; }
    std::optional<Place> place_of(const void* host) const;
    // [vcpu, outside run] Whose code this is. Null: none's, or none's that is still valid.
    const NativeBlock* block_at(Place place) const;
    // [vcpu, outside run] What is where in the code of a valid block.
    CodeMap map_of(const NativeBlock& native);
    // The instructions of a block up to one that cannot be decoded, until this is asked again.
    std::span<const x86::Instruction> decode(const interp::Block& block);

private:
    void make_ways();
    bool make(const interp::HotBlock& hot, std::span<const x86::Instruction> instructions,
              bool keeps_all_flags = false);
    void want_remake(interp::Block& block);
    static interp::Block* known_target(const interp::Block& from, const Edge& edge);
    void chain(Edge& edge, const interp::Block& target);
    void keep_handlers(NativeBlock& native);
    void jump_from(Place place, Place target);
    void tell(const NativeBlock& native, std::uint64_t linear, unsigned untranslated,
              std::uint64_t nanoseconds);
    void tell_released(const CodeCache::Generation& generation);
    void count_blocks();
    void patch(std::uint32_t displacement, std::uint32_t target);

    const x86::CpuModel& model_;
    x86::Decoder decoder_;
    std::vector<x86::Instruction> decoded_;  // by `decode`
    CodeCache cache_;
    Ways ways_{};
    std::unique_ptr<UpperTier> upper_;
    interp::Interpreter* cpu_ = nullptr;
    std::vector<std::byte> workspace_ = std::vector<std::byte>(std::size_t{64} << 10);
    Locality locality_;
    std::vector<interp::Block*> to_remake_;
    std::size_t valid_blocks_ = 0;
    bool is_full_ = false;      // a block was not compiled for want of room
    bool is_evicting_ = false;  // what is dropped makes room
    Untranslated untranslated_;
    SampledCode sampled_;
    JitCounters counters_;
    std::vector<CodeWatcher*> watchers_;
};

}  // namespace backplane::jit
