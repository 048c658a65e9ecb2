#include "tier1/tier1_compiler.h"

#include "interp/block_builder.h"
#include "interp/block_cache.h"
#include "tier1/core_offsets.h"
#include "tier1/glue.h"
#include "tier1/translator.h"
#include "x86/guest_floating_point.h"
#include "x86/instruction_set.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

namespace backplane::jit {

using interp::Block, interp::Counter;

Tier1Compiler::Tier1Compiler(const x86::CpuModel& model, CodeArena arena, std::size_t max_blocks,
                             std::unique_ptr<UpperTier> upper)
    : model_{model}, decoder_{x86::decoder_features(model)}, cache_{std::move(arena), max_blocks},
      upper_{std::move(upper)} {
    make_ways();
}

// The arena may be far from this library: each way is a jump through an address behind it.
void Tier1Compiler::make_ways() {
    const std::pair<Way, void (*)()> ways[]{
        {Way::Enter, &backplane_jit_enter},
        {Way::Resume, &backplane_jit_resume},
        {Way::LeaveUntranslated, &backplane_jit_leave_untranslated},
        {Way::LeaveAccess, &backplane_jit_leave_access},
        {Way::LeaveTarget, &backplane_jit_leave_target},
        {Way::LeaveValue, &backplane_jit_leave_value},
        {Way::LeaveSecondPage, &backplane_jit_leave_second_page},
        {Way::NeedBudget, &backplane_jit_need_budget},
        {Way::LeaveByEdge, &backplane_jit_leave_by_edge},
        {Way::LeaveToBlock, &backplane_jit_leave_to_block},
        {Way::LeaveToRegion, &backplane_jit_leave_to_region},
        {Way::LoadXmm, &backplane_jit_load_xmm},
        {Way::LoadYmm, &backplane_jit_load_ymm},
        {Way::LoadX87, &backplane_jit_load_x87},
        {Way::RecallRead, &backplane_jit_recall_read},
        {Way::RecallWrite, &backplane_jit_recall_write},
        {Way::RecallStackRead, &backplane_jit_recall_stack_read},
        {Way::RecallStackWrite, &backplane_jit_recall_stack_write},
        {Way::RefillRead, &backplane_jit_refill_read},
        {Way::RefillWrite, &backplane_jit_refill_write},
        {Way::LinkFar, &backplane_jit_link_far},
        {Way::FindTarget, &backplane_jit_find_target},
        {Way::CheckSecondPage, &backplane_jit_check_second_page}};
    Assembler code{cache_.writable(), fast_index_mask, 4096};
    code.qword((x86::fast_pages - 1) << x86::page_shift);
    for (const auto& [way, place] : ways) {
        ways_[static_cast<std::size_t>(way)] = code.place();
        for (const unsigned byte : {0xff, 0x25, 0, 0, 0, 0})  // JMP [RIP + 0]
            code.byte(byte);
        code.qword(reinterpret_cast<std::uint64_t>(place));
    }
    cache_.share(code.place());
}

void Tier1Compiler::attach(interp::Interpreter& cpu) {
    cpu_ = &cpu;
    cpu.recalls.fill(Locality::looks_every);
    cpu.compiled.vector_size = model_.has(x86::Feature::Avx) ? 2 : 1;
    if (upper_) upper_->attach(cpu, *this);
}

void Tier1Compiler::created(Block& block) {
    block.entry = address_of(ways_[static_cast<std::size_t>(Way::LeaveToBlock)]);
}

void Tier1Compiler::compile(const interp::HotBlock& hot,
                            std::span<const x86::Instruction> instructions) {
    const bool is_made = upper_ && upper_->is_alone() ? upper_->takes(hot)
                                                      : make(hot, instructions);
    if (!is_made) return;
    // If it is entered now, that is counted, but it was not found.
    if (hot.ip == cpu_->state.block_ip)
        --cpu_->counts[static_cast<std::size_t>(Counter::CompiledEntries)];
    counters_.publish();
}

std::span<const x86::Instruction> Tier1Compiler::decode(const Block& block) {
    decoded_.resize(interp::block_max_instructions);
    std::span bytes{cpu_->code_bytes(block.physical), block.bytes};
    std::array<std::byte, x86::Decoder::max_length> in_two_pages;
    if (block.crosses_page) {  // one instruction
        const std::size_t in_first = x86::page_size - (block.physical & x86::page_offset_mask);
        std::ranges::copy(bytes.first(in_first), in_two_pages.begin());
        std::ranges::copy(std::span{cpu_->code_bytes(block.second_page), block.bytes - in_first},
                          in_two_pages.begin() + static_cast<std::ptrdiff_t>(in_first));
        bytes = std::span{in_two_pages}.first(block.bytes);
    }
    const auto size = static_cast<x86::CodeSize>(block.mode & interp::block_mode::code_size);
    std::size_t offset = 0, count = 0;
    for (; count < block.instruction_count; ++count) {
        x86::Instruction& instruction = decoded_[count];
        if (decoder_.decode(bytes.subspan(offset), size, offset, instruction) !=
                x86::DecodeStatus::Complete ||
            !x86::has_instruction(model_, instruction))
            break;
        offset += instruction.decoded.length;
    }
    return {decoded_.data(), count};
}

bool Tier1Compiler::make(const interp::HotBlock& hot,
                         std::span<const x86::Instruction> instructions, bool keeps_all_flags) {
    using clock = std::chrono::steady_clock;
    Block& block = *hot.block;
    if (!Translator::can_translate(block) || !cpu_->code_bytes(block.physical) || is_full_)
        return false;
    // Containers compute how far they grow.
    const x86::HostFloatingPoint host;
    const auto began = clock::now();
    if (instructions.empty()) instructions = decode(block);
    is_full_ = !cache_.has_room();
    if (is_full_) return false;
    const CodeCache::Generation& now = cache_.current();
    const bool is_alone = now.blocks.empty();
    Assembler code{cache_.writable(), now.hot.used, now.hot.end};
    std::pmr::monotonic_buffer_resource workspace{workspace_.data(), workspace_.size()};
    Translator translator{code, ways_, model_, cpu_->is_only_processor(), untranslated_, workspace};
    NativeBlock& native = cache_.add();
    native.block = &block;
    native.far_links = now.far_links.used;
    native.locality = locality_.of(block);
    native.keeps_all_flags = keeps_all_flags;
    translator.translate(block, instructions, now.cold.used, now.cold.end, native);
    if (translator.lacks_flags() && !keeps_all_flags) {
        cache_.take_back();
        return make(hot, instructions, true);
    }
    if (!code.fits() || native.far_links_end > now.far_links.end) {
        cache_.take_back();
        is_full_ = !is_alone;  // otherwise it never fits
        return false;
    }
    keep_handlers(native);
    block.entry = address_of(native.start);
    block.ops()->handler = address_of(translator.first_entry());
    interp::JumpCacheEntry& found = cpu_->jump_cache[interp::jump_cache_index(hot.ip)];
    if (found.block == &block) found.entry = block.entry;
    for (const auto& [op, place] : translator.resumptions())
        block.ops()[op].handler = address_of(place);
    for (Edge& edge : native.edges)
        if (const Block* target = known_target(block, edge)) chain(edge, *target);
    const std::chrono::nanoseconds taken = clock::now() - began;
    tell(native, hot.linear, translator.untranslated(), static_cast<std::uint64_t>(taken.count()));
    return true;
}

void Tier1Compiler::keep_handlers(NativeBlock& native) {
    Block& block = *native.block;
    const std::size_t handlers = std::size_t{block.op_count} + 1;
    cache_.installed(native, handlers);
    for (std::size_t op = 0; op < handlers; ++op)
        native.handlers[op] = block.ops()[op].handler;
    block.compiled = &native;
}

void Tier1Compiler::tell(const NativeBlock& native, std::uint64_t linear, unsigned untranslated,
                         std::uint64_t nanoseconds) {
    const Block& block = *native.block;
    const std::size_t hot = native.end - native.start, cold = native.cold_end - native.cold_start;
    ++valid_blocks_;
    counters_.count(JitCounter::Tier1Nanoseconds, nanoseconds);
    counters_.count(JitCounter::Tier1Blocks);
    counters_.count(JitCounter::Tier1Instructions, block.instruction_count);
    counters_.count(JitCounter::Tier1Untranslated, untranslated);
    counters_.count(JitCounter::Tier1GuestBytes, block.bytes);
    counters_.count(JitCounter::Tier1CodeBytes, hot);
    counters_.count(JitCounter::Tier1ColdCodeBytes, cold);
    count_blocks();
    for (CodeWatcher* watcher : watchers_)
        watcher->installed({.start = address_of(native.start),
                            .bytes = hot,
                            .cold_start = address_of(native.cold_start),
                            .cold_bytes = cold,
                            .tier = 1,
                            .linear = linear,
                            .physical = block.physical,
                            .guest_bytes = block.bytes,
                            .instructions = block.instruction_count,
                            .untranslated = untranslated,
                            .nanoseconds = nanoseconds});
}

void Tier1Compiler::dropped(Block& block) {
    if (upper_) upper_->dropped(block);
    created(block);
    auto* native = static_cast<NativeBlock*>(std::exchange(block.compiled, nullptr));
    if (!native) return;
    --valid_blocks_;
    for (Edge* edge : native->incoming) {
        if (edge->far_link)
            cache_.far_link(edge->far_link) = {.edge = edge};
        else
            patch(edge->displacement, edge->stub);
        edge->target = nullptr;
    }
    native->incoming.clear();
    if (is_evicting_) {
        counters_.count(JitCounter::CacheEvictions);
        return;
    }
    // From the jump cache.
    const bool has_code = native->end != native->start;
    if (has_code) jump_from(native->start, ways_[static_cast<std::size_t>(Way::LeaveToBlock)]);
    counters_.count(JitCounter::CacheInvalidations);
    count_blocks();
    counters_.publish();
    if (watchers_.empty() || !has_code) return;
    const x86::HostFloatingPoint host;
    for (CodeWatcher* watcher : watchers_)
        watcher->invalidated(block.physical, 1);
}

bool Tier1Compiler::make_room(interp::BlockCache& blocks) {
    if (upper_ && upper_->is_full()) {
        if (upper_->is_alone()) return false;
        upper_->make_room();
        if (!is_full_) return true;
    }
    is_evicting_ = true;
    for (const NativeBlock& native : cache_.by_age(0).blocks)
        if (native.is_valid()) blocks.drop(native.block);
    is_evicting_ = false;
    tell_released(cache_.by_age(0));
    cache_.reuse_oldest();
    sampled_.forget();
    is_full_ = false;
    count_blocks();
    counters_.publish();
    return true;
}

void Tier1Compiler::recalled(const void* from, unsigned instruction) {
    cpu_->recalls[Locality::index_of(from)] = Locality::looks_every;
    const auto place = place_of(from);
    const NativeBlock* native = place ? block_at(*place) : nullptr;
    if (!native) return;
    const bool is_scattered = native->locality.is_counted
                                  ? locality_.is_scattered_by_executions(
                                        from, cpu_->hot_executions_of(native->locality.counter))
                                  : locality_.is_scattered_by_instructions(from,
                                                                           cpu_->instructions());
    if (!is_scattered) return;
    const x86::HostFloatingPoint host;
    locality_.note_scattered(*native->block, instruction);
    want_remake(*native->block);
}

void Tier1Compiler::lost_stack(const void* from, std::uint64_t linear, std::uint32_t size) {
    if ((linear & x86::page_offset_mask) + size <= x86::page_size) return;
    const auto place = place_of(from);
    const NativeBlock* native = place ? block_at(*place) : nullptr;
    if (!native || !native->stack_splits.is_often(cpu_->instructions())) return;
    const x86::HostFloatingPoint host;
    locality_.note_split_stack(*native->block);
    want_remake(*native->block);
}

void Tier1Compiler::sampled(Block& block) {
    if (upper_) upper_->sampled(block);
    const auto* native = static_cast<const NativeBlock*>(block.compiled);
    if (!native || !(native->has_unknown_accesses || native->locality.is_counted)) return;
    const x86::HostFloatingPoint host;
    if (locality_.met(block)) want_remake(block);
}

void Tier1Compiler::want_remake(Block& block) {
    to_remake_.push_back(&block);
    cpu_->compiled.wants_remake = true;
}

void Tier1Compiler::remake(interp::BlockCache& blocks) {
    cpu_->compiled.wants_remake = false;
    for (Block* block : std::exchange(to_remake_, {})) {
        if (!block->is_compiled()) continue;
        counters_.count(JitCounter::CacheRemakes);
        blocks.drop(block);
    }
}

void Tier1Compiler::release() {
    to_remake_.clear();
    if (upper_) upper_->released();
    for (std::size_t i = 0; i < CodeCache::generations; ++i)
        tell_released(cache_.by_age(i));
    cache_.clear();
    sampled_.forget();
    is_full_ = false;
    counters_.count(JitCounter::CacheEvictions, std::exchange(valid_blocks_, 0));
    count_blocks();
    counters_.publish();
}

void Tier1Compiler::tell_released(const CodeCache::Generation& generation) {
    if (generation.blocks.empty() || watchers_.empty()) return;
    const x86::HostFloatingPoint host;
    for (CodeWatcher* watcher : watchers_)
        watcher->released({.start = address_of(generation.hot.start),
                           .bytes = generation.hot.used_bytes(),
                           .cold_start = address_of(generation.cold.start),
                           .cold_bytes = generation.cold.used_bytes()});
}

void Tier1Compiler::count_blocks() {
    counters_.set(JitCounter::CacheUsed, cache_.used() + (upper_ ? upper_->used() : 0));
    counters_.set(JitCounter::CacheBlocks, valid_blocks_);
}

void Tier1Compiler::forget_links() { cache_.forget_far_links(); }

bool Tier1Compiler::link(FarLink& link) {
    const Block* target = interp::find_in_jump_cache(cpu_, cpu_->compiled.target_ip);
    if (!target->is_compiled()) return false;
    link.page_key = cpu_->compiled.page_key;
    if (link.entry == target->entry) return true;
    link.entry = target->entry;
    chain(*link.edge, *target);
    return true;
}

bool Tier1Compiler::finds_second_page(const Block& block) {
    if (!cpu_->is_behind(cpu_->compiled.page_ip, block.second_page)) return false;
    const auto& native = *static_cast<const NativeBlock*>(block.compiled);
    cache_.far_link(native.second_page).page_key = cpu_->compiled.page_key;
    return true;
}

Block* Tier1Compiler::follow(const Op& op) {
    Block* from = cpu_->block;
    auto& native = *static_cast<NativeBlock*>(from->compiled);
    Edge& edge = *std::ranges::find(native.edges, from->index_of(&op), &Edge::op);
    std::uint64_t ip = cpu_->compiled.page_ip + edge.target_offset;
    if (!cpu_->state.code64()) ip &= 0xffff'ffff;
    cpu_->state.rip = ip;
    Block* target = cpu_->is_mode_stale() ? nullptr : known_target(*from, edge);
    if (!target) target = cpu_->locate();
    // Finding it may have dropped the block that leads there.
    if (target && from->is_compiled() && cpu_->is_linkable(*target, ip)) chain(edge, *target);
    return target;
}

// What the interpreter has found there: within the page.
Block* Tier1Compiler::known_target(const Block& from, const Edge& edge) {
    if (edge.far_link) return nullptr;
    for (Block* known : {from.links().taken, from.links().next})
        if (known && (known->physical & x86::page_offset_mask) == edge.target_offset) return known;
    return nullptr;
}

void Tier1Compiler::chain(Edge& edge, const Block& target) {
    auto* to = static_cast<NativeBlock*>(target.compiled);
    if (!to) return;
    const x86::HostFloatingPoint host;
    patch(edge.displacement, to->start);
    CodeCache::link(edge, *to);
}

void Tier1Compiler::patch(std::uint32_t displacement, std::uint32_t target) {
    const std::uint32_t distance = target - (displacement + 4);
    std::memcpy(cache_.writable() + displacement, &distance, sizeof distance);
}

void Tier1Compiler::jump_from(Place place, Place target) {
    cache_.writable()[place] = 0xe9;  // JMP
    patch(place + 1, target);
}

// ---- For the tier above ----

bool Tier1Compiler::keep(Block& block) {
    is_full_ = is_full_ || !cache_.has_room();
    if (is_full_) return false;
    const CodeCache::Generation& now = cache_.current();
    NativeBlock& native = cache_.add();
    native.block = &block;
    native.start = native.end = now.hot.used;
    native.cold_start = native.cold_end = now.cold.used;
    native.far_links = native.far_links_end = now.far_links.used;
    keep_handlers(native);
    ++valid_blocks_;
    return true;
}

// The way in begins with a jump then, to code that does as it does (Translator::emit_entries) and
// puts everything into CpuState. It is kept as a block that is never valid: younger than the other
// one, so that it stays for at least as long.
bool Tier1Compiler::redirect(NativeBlock& native) {
    is_full_ = is_full_ || !cache_.has_room();
    if (is_full_) return false;
    Block& block = *native.block;
    const CodeCache::Generation& now = cache_.current();
    NativeBlock& stub = cache_.add();
    stub.block = &block;
    stub.start = now.hot.used;
    stub.cold_start = stub.cold_end = now.cold.used;
    stub.far_links = stub.far_links_end = now.far_links.used;
    Assembler code{cache_.writable(), now.hot.used, now.hot.end};
    code.sub_immediate(Operand::of(budget), block.instruction_count);
    code.load_immediate(scratch, sizeof(Block));
    code.load_immediate(scratch2, reinterpret_cast<std::uint64_t>(&block));
    const auto has_budget = code.jump_if(condition::not_sign);
    code.patch(code.call(), ways_[static_cast<std::size_t>(Way::NeedBudget)]);
    code.patch_here(has_budget);
    code.patch(code.jump(), ways_[static_cast<std::size_t>(Way::LeaveToRegion)]);
    stub.end = code.place();
    cache_.installed(stub, 0);

    std::memcpy(native.start_code.data(), cache_.writable() + native.start,
                native.start_code.size());
    jump_from(native.start, stub.start);
    return true;
}

void Tier1Compiler::restore(const NativeBlock& native) {
    std::memcpy(cache_.writable() + native.start, native.start_code.data(),
                native.start_code.size());
}

// ---- For who looks into it ----

void Tier1Compiler::watch(CodeWatcher& watcher) {
    watchers_.push_back(&watcher);
    watcher.began(
        {.start = cache_.executable(), .bytes = cache_.size(), .shared = cache_.shared()});
}

std::optional<interp::CompiledPlace> Tier1Compiler::place_of(const interp::HostRegisters& host) {
    const auto* pc = reinterpret_cast<const void*>(host.pc);
    constexpr unsigned second_tier = 2;
    const interp::CompiledPlace untold{.tier = upper_ && upper_->has_code(pc) ? second_tier : 1,
                                       .block = nullptr,
                                       .offset = 0,
                                       .stack_pointer = std::nullopt,
                                       .frame_pointer = std::nullopt};
    const auto place = place_of(pc);
    if (!place) return untold.tier == second_tier ? std::optional{untold} : std::nullopt;
    const NativeBlock* native = block_at(*place);
    return native ? sampled_.find(*this, *native, *place, host) : untold;
}

// The glue has the same registers on its way in and out, but there they are in Core before long.
void Tier1Compiler::return_budget(interp::HostRegisters& host) {
    const bool is_compiled = place_of(reinterpret_cast<const void*>(host.pc)).has_value();
    const Core* self = cpu_;
    if (!is_compiled || host.general[core] != reinterpret_cast<std::uint64_t>(self)) return;
    cpu_->budget.fetch_add(static_cast<std::int64_t>(std::exchange(host.general[budget], 0)));
}

std::optional<Place> Tier1Compiler::place_of(const void* host) const {
    const auto distance = reinterpret_cast<std::uintptr_t>(host) -
                          reinterpret_cast<std::uintptr_t>(cache_.executable());
    if (distance >= cache_.size()) return std::nullopt;
    return static_cast<Place>(distance);
}

const NativeBlock* Tier1Compiler::block_at(Place place) const {
    const NativeBlock* native = cache_.block_at(place);
    return native && native->is_valid() ? native : nullptr;
}

// Nothing that it was made of the first time has changed, so the block becomes the same again,
// where it is; but for jumps that are linked, which come back.
CodeMap Tier1Compiler::map_of(const NativeBlock& native) {
    const auto copy = [&](Place start, Place end) {
        return std::vector<std::uint8_t>(address_of(start), address_of(end));
    };
    const auto hot = copy(native.start, native.end);
    const auto cold = copy(native.cold_start, native.cold_end);
    const Untranslated counts = untranslated_;

    CodeMap map;
    Assembler code{cache_.writable(), native.start, native.end};
    std::pmr::monotonic_buffer_resource workspace{workspace_.data(), workspace_.size()};
    Translator translator{code, ways_, model_, cpu_->is_only_processor(), untranslated_, workspace};
    translator.make_map(map);
    Block& block = *native.block;
    NativeBlock again{workspace};
    again.far_links = native.far_links;
    again.locality = native.locality;
    again.keeps_all_flags = native.keeps_all_flags;
    translator.translate(block, decode(block), native.cold_start, native.cold_end, again);

    std::ranges::copy(hot, cache_.writable() + native.start);
    std::ranges::copy(cold, cache_.writable() + native.cold_start);
    untranslated_ = counts;
    return map;
}

// ---- The ways out ----

namespace {

interp::Interpreter& owner(Core* cpu) { return *static_cast<interp::Interpreter*>(cpu); }

Tier1Compiler& compiler_of(Core* cpu) {
    return static_cast<Tier1Compiler&>(*owner(cpu).compiler());
}

}  // namespace

std::uint32_t backplane_jit_refill(Core* cpu, std::uint64_t linear, std::uint32_t size,
                                   std::uint32_t writes) {
    const x86::AccessKind kind = writes ? x86::AccessKind::Write : x86::AccessKind::Read;
    size &= 0xff;
    if (owner(cpu).refill(linear, size, kind)) return 1;
    return !writes && owner(cpu).gather(linear, size) ? 2 : 0;
}

std::uint32_t backplane_jit_recalled(Core* cpu, std::uint64_t, std::uint32_t argument,
                                     const void* from) {
    compiler_of(cpu).recalled(from, recall_instruction(argument));
    return 1;
}

std::uint32_t backplane_jit_lost_stack(Core* cpu, std::uint64_t linear, std::uint32_t argument,
                                       const void* from) {
    compiler_of(cpu).lost_stack(from, linear, argument & 0xff);
    return 0;
}

std::uint32_t backplane_jit_link(Core* cpu, FarLink* link) {
    return compiler_of(cpu).link(*link) ? 1 : 0;
}

std::uint32_t backplane_jit_recollect(Core* cpu, std::uint64_t ip) {
    return owner(cpu).recollect(ip) ? 1 : 0;
}

std::uint32_t backplane_jit_find_second_page(Core* cpu, const Block* block) {
    return compiler_of(cpu).finds_second_page(*block) ? 1 : 0;
}

// The sanitizer would look for a type in front of compiled code, where there is none.
[[clang::no_sanitize("function")]]
void backplane_jit_follow_edge(Core* cpu, const Op* op, const FastPages* pages,
                               std::uint64_t last) {
    cpu->count(Counter::LeftEdge);
    Block* target = compiler_of(cpu).follow(*op);
    if (!target) {
        cpu->exit = interp::Exit::Lookup;
        return;
    }
    if (!interp::enter(cpu, target, cpu->state.rip))
        BACKPLANE_TAIL interp::leave_for_budget(cpu, op, pages, last);
    BACKPLANE_TAIL interp::handler_of (*target->ops())(cpu, target->ops(), pages, last);
}

// The sanitizer would look for a type in front of compiled code, where there is none.
[[clang::no_sanitize("function")]]
void backplane_jit_enter_block(Core* cpu, const Op* op, const FastPages* pages,
                               std::uint64_t last) {
    interp::JumpCacheEntry& found =
        cpu->jump_cache[cpu->compiled.kept / sizeof(interp::JumpCacheEntry)];
    Block* block = found.block;
    found.entry = block->entry;
    cpu->count(Counter::LeftUncompiled);
    cpu->state.rip = cpu->compiled.page_ip + (block->physical & x86::page_offset_mask);
    if (!interp::enter(cpu, block, cpu->state.rip))
        BACKPLANE_TAIL interp::leave_for_budget(cpu, op, pages, last);
    BACKPLANE_TAIL interp::handler_of (*block->ops())(cpu, block->ops(), pages, last);
}

// The instructions from `op` on are left to the interpreter, which raises what there is to raise.
void backplane_jit_refuse_block(Core* cpu, const Op* op, const FastPages* pages,
                                std::uint64_t last) {
    cpu->count(Counter::LeftRegisters);
    BACKPLANE_TAIL backplane_jit_interpret_block(cpu, op, pages, last);
}

void backplane_jit_interpret_block(Core* cpu, const Op* op, const FastPages* pages,
                                   std::uint64_t last) {
    owner(cpu).interpret_once();
    BACKPLANE_TAIL interp::leave_before(cpu, op, pages, last);
}

void backplane_jit_out_of_budget(Core* cpu, const Op* op, const FastPages* pages,
                                 std::uint64_t last) {
    cpu->count(Counter::LeftBudget);
    compiler_of(cpu).sampled(*cpu->block);
    BACKPLANE_TAIL interp::leave_for_budget(cpu, op, pages, last);
}

}  // namespace backplane::jit
