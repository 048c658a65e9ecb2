// The interpreter's way from RIP to a block, and what happens when code is written over.
#include "interp/dispatch.h"
#include "interp/interpreter.h"
#include "x86/guest_floating_point.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace backplane::interp {

using x86::AccessKind;
using x86::Privilege;

namespace {

constexpr std::uint64_t page_of(std::uint64_t address) { return address & ~x86::page_offset_mask; }

// Sets of pages by hash, a bit each.
constexpr unsigned large_page_shift = 21;

template <std::size_t words>
void mark(std::array<std::uint64_t, words>& set, std::uint64_t number) {
    set[(number >> 6) % words] |= std::uint64_t{1} << (number & 63);
}

template <std::size_t words>
bool is_marked(const std::array<std::uint64_t, words>& set, std::uint64_t number) {
    return set[(number >> 6) % words] >> (number & 63) & 1;
}

std::uint64_t physical_of(const x86::PageTranslation& page, std::uint64_t linear) {
    return page.physical + (linear & ((std::uint64_t{1} << page.shift) - 1));
}

}  // namespace

Block* Interpreter::locate() {
    if (mode_stale_ || is_full()) return nullptr;
    Block* known = find_in_jump_cache(this, state.rip);
    if (known && known->valid) return known;
    if (steps_through(state.rip)) return nullptr;
    count(Counter::BlockLookups);
    return look_up(mode_ | counted_mode_);
}

Block* Interpreter::look_up(std::uint8_t mode) {
    const Doing work = doing(Activity::Compiler);
    const bool code64 = (mode & block_mode::code_size) ==
                        static_cast<std::uint8_t>(x86::CodeSize::Bits64);
    const std::uint64_t address_mask = code64 ? ~std::uint64_t{0} : 0xffff'ffff;
    const std::uint64_t linear = (code_base_ + state.rip) & address_mask;
    second_linear_ = (page_of(linear) + x86::page_size) & address_mask;
    if (state.rip > code_limit_) {
        set_fault({.vector = x86::Vector::GeneralProtection});
        return nullptr;
    }
    const auto page = translate(linear, {AccessKind::Execute, privilege()});
    if (!page) {
        set_fault(page.error());
        return nullptr;
    }
    const std::uint64_t physical = physical_of(*page, linear);
    // The end of the segment, when the code of this page can reach it.
    const std::uint64_t offset = physical & x86::page_offset_mask;
    const std::uint64_t behind = code_limit_ - state.rip;
    const bool near_end = behind < x86::page_size - offset + x86::Decoder::max_length;
    const auto end = static_cast<std::uint16_t>(near_end ? offset + behind + 1 : 0);
    Block* found = blocks_.find({physical, mode, end}, false, 0);
    if (!found) found = build(physical, mode, end);
    if (found && mode == (mode_ | counted_mode_) && found->hashed)
        insert_in_jump_cache(state.rip, linear, found, *page);
    return found;
}

Block* Interpreter::build(std::uint64_t physical, std::uint8_t mode, std::uint16_t segment_end) {
    constexpr std::size_t reach = x86::Decoder::max_length;
    std::array<std::byte, 2 * reach> copy;
    const std::uint64_t offset = physical & x86::page_offset_mask;
    const std::uint64_t in_segment = segment_end ? segment_end - offset : 2 * x86::page_size;
    CodeBytes code{.bytes = {},
                   .in_first_page = std::min(x86::page_size - offset, in_segment),
                   .physical = physical,
                   .second_page = 0,
                   .ip = state.rip,
                   .segment_end = segment_end,
                   .linear = linear_of(state.rip)};
    // SDM 3A 5.3: each byte of an instruction lies within the limit.
    const auto beyond_limit = [&]() -> Block* {
        set_fault({.vector = x86::Vector::GeneralProtection});
        return nullptr;
    };

    const auto fetch = [&](std::uint64_t from, std::size_t length, std::byte* to) {
        const PhysicalRange& range = range_of(from);
        if (range.memory && range.readable) {
            std::memcpy(to, range.host(from), length);
            return true;
        }
        for (std::size_t i = 0; i < length; ++i)
            to[i] = static_cast<std::byte>(read_bus(from + i, 1));
        return false;
    };

    // Before its bytes are looked at: from then on whoever writes there tells.
    const PhysicalRange& range = range_of(physical);
    bool plain = range.memory && range.readable;
    if (plain) {
        blocks_.watch(page_of(physical));
        code.bytes = {reinterpret_cast<const std::byte*>(range.host(physical)), code.in_first_page};
    } else {
        // Code in a device: one instruction at a time, read anew each time.
        mode |= block_mode::single;
        code.in_first_page = std::min(code.in_first_page, reach);
        fetch(physical, code.in_first_page, copy.data());
        code.bytes = {copy.data(), code.in_first_page};
    }
    Block* made = builder_.build(code, mode);
    if (!made) {
        if (in_segment <= x86::page_size - offset) return beyond_limit();
        const auto second = translate(second_linear_, {AccessKind::Execute, privilege()});
        if (!second) {
            set_fault(second.error());
            return nullptr;
        }
        second_page_ = *second;
        code.second_page = physical_of(*second, second_linear_);
        if (Block* known = blocks_.find({physical, mode, segment_end}, true, code.second_page))
            return known;
        if (plain) {
            blocks_.watch(page_of(physical));
            if (const PhysicalRange& next = range_of(code.second_page);
                next.memory && next.readable)
                blocks_.watch(page_of(code.second_page));
        }
        std::array<std::byte, 2 * reach> both;
        fetch(physical, code.in_first_page, both.data());
        // Two pages, of which one may be a device, have this one instruction.
        if (!fetch(code.second_page, reach, both.data() + code.in_first_page)) {
            plain = false;
            mode |= block_mode::single;
        }
        code.bytes = {both.data(), std::min(code.in_first_page + reach, in_segment)};
        made = builder_.build(code, mode);
        if (!made) return beyond_limit();
    }
    count(Counter::BlocksDecoded);
    made->hashed = plain;
    if (plain) blocks_.insert(made);
    return made;
}

// ---- For a compiler ----

// Blocks that are compiled one after the other take half the time: from the second one on the
// host's caches have the compiler. One that is executed as often again meanwhile waits no longer.
bool Interpreter::offer(Block& hot) {
    constexpr std::size_t together = 16;
    if (patched_op_ || compiler_full_) return false;
    if (!hot.is_awaited) {
        hot.is_awaited = true;
        hot_blocks_.push_back({&hot, state.block_ip, linear_of(state.block_ip)});
        if (hot_blocks_.size() < together && compile_threshold_ > 1) {
            hot.ops()->immediate = compile_threshold_;
            return true;
        }
    }
    compile_hot_blocks();
    return true;
}

void Interpreter::compile_hot_blocks() {
    const Doing work = doing(Activity::Compiler);
    state.rip = state.block_ip;  // for a profiler that looks now
    for (const HotBlock& hot : hot_blocks_) {
        if (!hot.block->valid || !hot.block->is_awaited) continue;
        hot.block->is_awaited = false;
        hot.block->ops()->immediate = 0;
        if (!compile(hot)) hot.block->ops()->immediate = 1;
    }
    hot_blocks_.clear();
}

// False: not now, as there is no room.
bool Interpreter::compile(const HotBlock& hot) {
    if (compiler_full_) return false;
    Block& shorter = *hot.block;
    if (Block* longer = lengthen(hot)) {
        compiler_->compile({longer, hot.ip, hot.linear}, builder_.instructions());
        if (longer->is_compiled()) {
            const std::int64_t length = shorter.length;
            blocks_.replace(shorter, *longer);
            // The one being entered is entered anew, as the other block.
            if (&shorter == block) refund(length);
        }
    }
    if (shorter.valid && !compiler_->is_full()) compiler_->compile(hot, {});
    compiler_full_ = compiler_->is_full();
    const bool is_refused = shorter.valid && !shorter.is_compiled();
    if (is_refused && !compiler_full_) count(Counter::RefusedBlocks);
    return !is_refused || !compiler_full_;
}

// The block together with those behind it, where branches are mostly not taken. Null: nothing is
// gained.
Block* Interpreter::lengthen(const HotBlock& found) {
    Block& hot = *found.block;
    const std::byte* bytes = code_bytes(hot.physical);
    const bool is_16_bit = (hot.mode & block_mode::code_size) ==
                           static_cast<std::uint8_t>(x86::CodeSize::Bits16);
    if (!bytes || is_16_bit || !hot.hashed || hot.crosses_page || hot.segment_end != 0 || is_full())
        return nullptr;
    const std::uint64_t offset = hot.physical & x86::page_offset_mask;
    const CodeBytes code{.bytes = {bytes, x86::page_size - offset},
                         .in_first_page = x86::page_size - offset,
                         .physical = hot.physical,
                         .second_page = 0,
                         .ip = found.ip,
                         .segment_end = 0,
                         .linear = found.linear};
    // The block that ends with the branch, as long as it is known; and the last one so far.
    Block *before = &hot, *last = &hot;
    const auto goes_on = [&](std::int64_t taken, std::uint32_t next) {
        const bool is_loop = taken < static_cast<std::int64_t>(next);
        if (is_loop || offset + next >= x86::page_size) return false;
        if (before && before->physical + before->bytes != hot.physical + next) before = nullptr;
        if (!before) return compile_threshold_ == 1;
        const BlockLinks& links = before->links();
        Block* behind = links.next;
        last = std::exchange(before, behind);
        const std::uint64_t next_count = executions(behind);
        const bool is_likely = 2 * next_count >= compile_threshold_ &&
                               4 * executions(links.taken) <= next_count;
        if (is_likely && behind->is_awaited) {
            // It may not be entered by itself any more, and begins to count anew.
            behind->is_awaited = false;
            behind->ops()->immediate = compile_threshold_ / 2;
        }
        return is_likely || compile_threshold_ == 1;
    };
    if (!builder_.would_go_on(hot, code.bytes, goes_on)) return nullptr;
    before = &hot;  // the same branch is asked about again
    Block* longer = builder_.build(code, hot.mode, goes_on);
    if (!longer) return nullptr;
    longer->hashed = true;
    count(Counter::BlocksDecoded);
    for (const Block* end : {last, before}) {
        if (!end || end->physical + end->bytes != hot.physical + longer->bytes) continue;
        const auto copy = [&](Block*& place, Block* target) {
            if (target) blocks_.link(place, target == &hot ? longer : target);
        };
        copy(longer->links().taken, end->links().taken);
        copy(longer->links().next, end->links().next);
        break;
    }
    return longer;
}

// As far as they are counted.
std::uint64_t Interpreter::executions(const Block* block) const {
    if (!block) return 0;
    if (block->is_compiled() || block->is_awaited) return compile_threshold_;
    return compile_threshold_ - block->ops()->immediate;
}

const std::byte* Interpreter::code_bytes(std::uint64_t physical) {
    const PhysicalRange& range = range_of(physical);
    if (!range.memory || !range.readable) return nullptr;
    return reinterpret_cast<const std::byte*>(range.host(physical));
}

// A link is followed without looking at the page tables again, so it stays within the page that
// execution is in.
void Interpreter::link(Block*& place, Block* target, std::uint64_t target_ip) {
    if (block->crosses_page || target->crosses_page || !is_linkable(*target, target_ip)) return;
    blocks_.link(place, target);
}

bool Interpreter::is_linkable(const Block& target, std::uint64_t target_ip) const {
    const bool are_kept = !(block->mode & block_mode::single) && block->hashed && target.hashed &&
                          block->valid && target.valid;
    return are_kept && !is_full() && may_link(target_ip);
}

bool Interpreter::is_behind(std::uint64_t page_ip, std::uint64_t second_page) {
    const std::uint64_t linear = linear_of(page_ip + x86::page_size);
    const auto page = translate(linear, {AccessKind::Execute, privilege()});
    if (!page || physical_of(*page, linear) != second_page) return false;
    mark_code_page(linear, *page);
    return true;
}

// ---- The jump cache ----

void Interpreter::insert_in_jump_cache(std::uint64_t ip, std::uint64_t linear, Block* target,
                                       const x86::PageTranslation& page) {
    mark_code_page(linear, page);
    if (target->crosses_page) mark_code_page(second_linear_, second_page_);
    jump_cache[jump_cache_index(ip)] = {.tag = ip ^ jump_key,
                                        .block = target,
                                        .entry = target->entry,
                                        .page_ip = ip - (target->physical & x86::page_offset_mask)};
}

bool Interpreter::recollect(std::uint64_t ip) {
    if (mode_stale_ || is_full() || !a20_open_ || steps_through(ip) || ip > code_limit_)
        return false;
    const std::uint64_t linear = linear_of(ip);
    const x86::PageTranslation* page = second_level_.find(linear);
    if (!page || !x86::permits(paging_, *page, {AccessKind::Execute, privilege()})) return false;
    Block* found = blocks_.find({physical_of(*page, linear), mode_}, false, 0);
    if (!found) return false;
    count(Counter::BlockLookups);
    insert_in_jump_cache(ip, linear, found, *page);
    return true;
}

void Interpreter::begin_generations() {
    begin_generation(Privilege::Supervisor);
    begin_generation(Privilege::User);
    left_contexts_ = {};
}

void Interpreter::mark_code_page(std::uint64_t linear, const x86::PageTranslation& page) {
    if (privilege() == Privilege::Supervisor && !page.global) supervisor_code_not_global_ = true;
    if (page.shift == x86::page_shift) {
        mark(code_page_filter_, linear >> x86::page_shift);
        return;
    }
    const std::uint64_t first = linear >> page.shift << page.shift;
    const std::uint64_t parts = std::uint64_t{1} << (page.shift - large_page_shift);
    for (std::uint64_t part = 0; part < parts; ++part)
        mark(large_code_page_filter_, (first >> large_page_shift) + part);
}

bool Interpreter::may_have_code(std::uint64_t linear) const {
    return is_marked(code_page_filter_, linear >> x86::page_shift) ||
           is_marked(large_code_page_filter_, linear >> large_page_shift);
}

// Generation and mode, the privilege among it: of jumps above the 48 bits that tell addresses
// apart, of links also in the 12 bits that are none of a page's address.
void Interpreter::renew_jump_key(Privilege privilege) {
    std::uint64_t& generation = generation_[static_cast<std::size_t>(privilege)];
    constexpr unsigned generation_shift = 48 + block_mode::in_jump_cache;
    constexpr unsigned generation_bits = 64 - generation_shift;
    constexpr unsigned low_bits = 12 - block_mode::in_jump_cache;
    constexpr unsigned epoch_bits = 16 + low_bits - generation_bits;
    if (generation >> generation_bits != 0) {
        generation_ = last_generation_ = {1, 1};
        left_contexts_ = {};
        jump_cache.fill({});
        epoch_ = (epoch_ + 1) % (1 << epoch_bits);
        if (epoch_ == 0 && compiler_) compiler_->forget_links();
    }
    jump_key = generation << generation_shift | std::uint64_t{mode_} << 48;
    const std::uint64_t total = epoch_ << generation_bits | generation;
    link_key = total >> low_bits << 48 | total % (1 << low_bits) << block_mode::in_jump_cache |
               mode_;
}

// ---- Code that changes ----

void Interpreter::code_page_watched(std::uint64_t page, bool watch) {
    const Doing wait = doing(Activity::Waiting);
    {
        const x86::HostFloatingPoint host;
        telling_ = std::this_thread::get_id();
        bus_.watch_code(page, watch);
        telling_ = std::thread::id{};
    }
    lose_foreign_code_pages();
    if (!watch) return;
    const PhysicalRange& range = range_of(page);
    if (!range.memory) return;
    for (x86::FastTlb& level : tlb)
        level.protect(reinterpret_cast<std::uint64_t>(range.host(page)));
    forget_recent();
}

void Interpreter::claim_code_page(std::uint64_t page) {
    const Doing wait = doing(Activity::Waiting);
    {
        const x86::HostFloatingPoint host;
        telling_ = std::this_thread::get_id();
        bus_.claim_code_page(page);
        telling_ = std::thread::id{};
    }
    lose_foreign_code_pages();
    foreign_code_.claimed(page);
}

// Also after each wait for other processors: they may have begun to keep code meanwhile, and rely
// on it that this one does not write there on its way to the next safe point.
void Interpreter::lose_foreign_code_pages() {
    foreign_code_.update([this](std::uint64_t page) {
        const PhysicalRange& range = range_of(page);
        if (!range.memory) return;
        for (x86::FastTlb& level : tlb)
            level.protect(reinterpret_cast<std::uint64_t>(range.host(page)));
        forget_recent();
    });
}

void Interpreter::begin_exclusive() {
    const Doing wait = doing(Activity::Waiting);
    {
        const x86::HostFloatingPoint host;
        bus_.begin_exclusive();
    }
    lose_foreign_code_pages();
}

void Interpreter::end_exclusive() {
    const x86::HostFloatingPoint host;
    bus_.end_exclusive();
}

void Interpreter::code_written(std::uint64_t physical, std::uint64_t length) {
    count(Counter::CodeWrites);
    const std::size_t dropped = blocks_.invalidate(physical, length);
    if (dropped == 0) return;
    count(Counter::BlocksInvalidated, dropped);
    // The block's handlers are replaced anyway: nothing is left to restore.
    if (patched_op_ && !block->valid) patched_op_ = nullptr;
}

bool Interpreter::drop_code_behind(std::uint64_t physical) {
    if (block && (page_of(block->physical) == page_of(physical) || block->crosses_page))
        return false;
    code_written(physical, x86::page_size - (physical & x86::page_offset_mask));
    return true;
}

void Interpreter::invalidate_physical(std::uint64_t start, std::uint64_t length) {
    while (length != 0) {
        const std::uint64_t part = std::min(length,
                                            x86::page_size - (start & x86::page_offset_mask));
        code_written(start, part);
        start += part;
        length -= part;
    }
}

void Interpreter::make_room() {
    if (blocks_.is_full()) {
        // Those that were never hot are most of them, and the fewest are needed again.
        if (compiler_) {
            blocks_.drop_uncompiled();
            recycle_blocks();
        }
        if (!compiler_ || !blocks_.has_room()) return release_blocks();
        if (!compiler_full_) return;
    }
    if (!compiler_->make_room(blocks_)) return release_blocks();
    compiler_full_ = compiler_->is_full();
    jump_cache.fill({});  // it has entries of code that is gone
}

void Interpreter::recycle_blocks() {
    block = nullptr;
    jump_cache.fill({});
    std::erase_if(hot_blocks_, [](const HotBlock& hot) { return !hot.block->valid; });
    blocks_.recycle();
}

void Interpreter::release_blocks() {
    hot_blocks_.clear();
    blocks_.release();
    if (compiler_) compiler_->release();
    compiler_full_ = false;
    block = nullptr;
    jump_cache.fill({});
    code_page_filter_ = {};
    large_code_page_filter_ = {};
}

// ---- Leaving a block early ----

// Something a device did wants to happen at the next instruction boundary: the op there becomes a
// way out for once.
void Interpreter::leave_after_access(const Op* op) {
    if (slice_ == 0) return;
    if (budget.load(std::memory_order_relaxed) >= 0) {
        // The request may have come while another was under way whose subtraction was lost.
        if (!nudged_) return;
        budget.fetch_sub(attention_weight);
    }
    const std::size_t index = block->index_of(op);
    if (index >= block->op_count) return;
    for (std::size_t i = index + 1; i < block->op_count; ++i) {
        if (block->retired_before[i] == block->retired_before[index]) continue;
        patch(block->ops() + i);
        return;
    }
}

// The same for the end of a budget within a block: executed from its start, it is left behind at
// most so many instructions. False: not even the first one can be executed alone.
bool Interpreter::leave_behind(Block& part, std::int64_t instructions) {
    std::size_t last = 0;
    for (std::size_t i = 1; i < part.op_count && part.retired_before[i] <= instructions; ++i)
        if (part.retired_before[i] != part.retired_before[last]) last = i;
    if (last == 0) return false;
    patch(part.ops() + last);
    return true;
}

void Interpreter::patch(Op* op) {
    restore_patch();
    patched_op_ = op;
    patched_handler_ = op->handler;
    op->handler = reinterpret_cast<const void*>(&leave_before);
}

void Interpreter::restore_patch() {
    if (!patched_op_) return;
    patched_op_->handler = patched_handler_;
    patched_op_ = nullptr;
}

}  // namespace backplane::interp
