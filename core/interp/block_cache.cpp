#include "interp/block_cache.h"

#include "interp/dispatch.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>
#include <utility>

namespace backplane::interp {
namespace {

// Of the memory for blocks: so much more, as what was used by blocks of other sizes may lie idle.
constexpr std::size_t spare_share = 8;

}  // namespace

void* BlockArena::allocate(std::size_t bytes) {
    bytes = rounded(bytes);
    if (next_ + bytes > chunk_bytes) {
        // All of it is going to be used.
        if (!spare_) spare_.reset(static_cast<std::byte*>(allocate_large_pages(chunk_bytes)));
        chunks_.push_back(std::move(spare_));
        next_ = 0;
    }
    void* place = chunks_.back().get() + next_;
    next_ += bytes;
    return place;
}

void BlockArena::release() {
    if (!chunks_.empty()) spare_ = std::move(chunks_.back());
    chunks_.clear();
    next_ = chunk_bytes;
}

BlockCache::BlockCache(std::size_t arena_bytes, Watch watch, void* user, Compiler* compiler)
    : limit_{arena_bytes},
      arena_{arena_bytes + arena_bytes / spare_share + BlockArena::chunk_bytes}, watch_{watch},
      user_{user}, compiler_{compiler} {}

Block* BlockCache::find(Key key, bool crosses_page, std::uint64_t second_page) const {
    if (!crosses_page && key.segment_end == 0) return table_.find(key.physical, key.mode);
    return table_.find_special(key.physical, key.mode, [&](const Block& block) {
        return block.segment_end == key.segment_end && block.crosses_page == crosses_page &&
               (!crosses_page || block.second_page == second_page);
    });
}

std::size_t BlockCache::bytes_for(std::size_t ops) {
    return BlockArena::rounded(sizeof(Block) + (ops + 1) * sizeof(Op) + ops + 1);
}

Block* BlockCache::allocate(std::size_t ops) {
    const std::size_t bytes = bytes_for(ops);
    used_ += bytes;
    void* memory = nullptr;
    if (ops < free_.size() && free_[ops])
        memory = std::exchange(free_[ops], free_[ops]->next_dropped);
    else
        memory = arena_.allocate(bytes);
    std::memset(memory, 0, bytes);
    Block* block = new (memory) Block;
    block->op_count = static_cast<std::uint16_t>(ops);
    block->retired_before = reinterpret_cast<std::uint8_t*>(block->ops() + ops + 1);
    new (&block->links()) BlockLinks{.handler = reinterpret_cast<const void*>(&fall_through)};
    if (compiler_) compiler_->created(*block);
    return block;
}

std::uint64_t BlockCache::granules_of(std::uint64_t first, std::uint64_t last) {
    const unsigned low = (first & x86::page_offset_mask) >> granule_shift;
    const unsigned high = (last & x86::page_offset_mask) >> granule_shift;
    return (~std::uint64_t{0} << low) & (~std::uint64_t{0} >> (63 - high));
}

std::uint64_t BlockCache::bytes_in_first_page(const Block& block) {
    return block.crosses_page ? x86::page_size - (block.physical & x86::page_offset_mask)
                              : block.bytes;
}

// First and last byte in the page of what a block has there: in both of its pages, if they are one.
void BlockCache::for_each_part(const Block& block, std::uint64_t page, const auto& take) {
    const std::uint64_t in_first = bytes_in_first_page(block);
    const std::uint64_t start = block.physical & x86::page_offset_mask;
    if (block.physical - start == page) take(start, start + in_first - 1);
    if (block.crosses_page && block.second_page == page) take(0, block.bytes - in_first - 1);
}

bool BlockCache::has_any(const Block& block, std::uint64_t page, std::uint64_t first,
                         std::uint64_t last) {
    bool is_found = false;
    for_each_part(block, page, [&](std::uint64_t start, std::uint64_t end) {
        is_found |= first <= end && start <= last;
    });
    return is_found;
}

void BlockCache::CodePage::add(std::uint64_t first, std::uint64_t last) {
    granules |= granules_of(first, last);
    for (std::uint64_t i = first; counts && i <= last; ++i)
        ++(*counts)[i];
}

void BlockCache::CodePage::remove(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t i = first; counts && i <= last; ++i)
        --(*counts)[i];
}

bool BlockCache::CodePage::may_have(std::uint64_t first, std::uint64_t last) const {
    if (!(granules & granules_of(first, last))) return false;
    return !counts || std::any_of(&(*counts)[first], &(*counts)[last] + 1,
                                  [](std::uint16_t count) { return count != 0; });
}

Block::InPage& BlockCache::in_page(Block& block, std::uint64_t page) {
    return (block.physical & ~x86::page_offset_mask) == page ? block.in_first_page
                                                             : block.in_second_page;
}

void BlockCache::watch(std::uint64_t page) {
    if (!pages_.try_emplace(page).second) return;
    filter_[filter_word(page)] |= std::uint64_t{1} << (page >> 12 & 63);
    watch_(user_, page, true);
}

void BlockCache::forget_page(std::unordered_map<std::uint64_t, CodePage>::iterator entry) {
    const std::uint64_t page = entry->first;
    pages_.erase(entry);
    watch_(user_, page, false);
}

void BlockCache::add_to_page(Block* block, std::uint64_t page) {
    watch(page);
    CodePage& code = pages_.find(page)->second;
    for_each_part(*block, page,
                  [&](std::uint64_t first, std::uint64_t last) { code.add(first, last); });
    Block::InPage& here = in_page(*block, page);
    here = {.next = code.blocks, .place = &code.blocks};
    if (here.next) in_page(*here.next, page).place = &here.next;
    code.blocks = block;
}

void BlockCache::insert(Block* block) {
    table_.insert(*block);
    const std::uint64_t page = block->physical & ~x86::page_offset_mask;
    add_to_page(block, page);
    if (block->crosses_page && block->second_page != page) add_to_page(block, block->second_page);
}

void BlockCache::replace(Block& old, Block& by) {
    insert(&by);
    drop(&old);
}

void BlockCache::link(Block*& place, Block* target) {
    place = target;
    if (!free_links_) {
        constexpr std::size_t together = BlockArena::alignment / sizeof(IncomingLink);
        auto* links = static_cast<IncomingLink*>(arena_.allocate(BlockArena::alignment));
        used_ += BlockArena::alignment;
        for (std::size_t i = 0; i < together; ++i)
            free_links_ = new (&links[i]) IncomingLink{nullptr, free_links_};
    }
    IncomingLink* link = std::exchange(free_links_, free_links_->next);
    *link = {&place, std::exchange(target->incoming, link)};
}

void BlockCache::remove_from_page(Block* block, std::uint64_t page) {
    const auto entry = pages_.find(page);
    const Block::InPage& here = in_page(*block, page);
    *here.place = here.next;
    if (here.next) in_page(*here.next, page).place = here.place;
    for_each_part(*block, page, [&](std::uint64_t first, std::uint64_t last) {
        entry->second.remove(first, last);
    });
    if (!entry->second.blocks) forget_page(entry);
}

void BlockCache::drop(Block* block) {
    table_.remove(*block);
    const std::uint64_t page = block->physical & ~x86::page_offset_mask;
    remove_from_page(block, page);
    if (block->crosses_page && block->second_page != page)
        remove_from_page(block, block->second_page);

    while (IncomingLink* link = block->incoming) {
        *link->place = nullptr;
        block->incoming = std::exchange(link->next, free_links_);
        free_links_ = link;
    }
    block->valid = false;
    block->length = 0;
    for (std::size_t i = 0; i < block->op_count; ++i)
        block->ops()[i].handler = reinterpret_cast<const void*>(i == 0 ? &enter_stale
                                                                       : &leave_before);
    if (compiler_) compiler_->dropped(*block);
    block->next_dropped = std::exchange(dropped_, block);
    ++dropped_count_;
}

void BlockCache::recycle() {
    while (Block* block = dropped_) {
        dropped_ = block->next_dropped;
        used_ -= bytes_for(block->op_count);
        if (block->op_count >= free_.size()) free_.resize(block->op_count + 1u);
        block->next_dropped = std::exchange(free_[block->op_count], block);
    }
    dropped_count_ = 0;
}

void BlockCache::count_blocks(CodePage& code, std::uint64_t page) {
    code.granules = 0;
    code.counts = std::make_unique<CodePage::Counts>();
    for (Block* block = code.blocks; block; block = in_page(*block, page).next)
        for_each_part(*block, page,
                      [&](std::uint64_t first, std::uint64_t last) { code.add(first, last); });
}

std::size_t BlockCache::invalidate(std::uint64_t physical, std::uint64_t length) {
    const std::uint64_t page = physical & ~x86::page_offset_mask;
    if (length == 0 || !has_code(page)) return 0;
    const auto entry = pages_.find(page);
    if (!entry->second.blocks) {
        forget_page(entry);
        return 0;
    }
    const std::uint64_t first = physical & x86::page_offset_mask, last = first + length - 1;
    if (!entry->second.may_have(first, last)) return 0;
    std::size_t dropped = 0;
    Block* next = nullptr;
    for (Block* block = entry->second.blocks; block; block = next) {
        next = in_page(*block, page).next;
        if (!has_any(*block, page, first, last)) continue;
        drop(block);  // with the last one goes the page
        ++dropped;
    }
    if (dropped == 0) count_blocks(entry->second, page);
    return dropped;
}

std::vector<Block*> BlockCache::blocks_at(std::uint64_t physical) const {
    std::vector<Block*> found;
    const std::uint64_t page = physical & ~x86::page_offset_mask;
    const auto entry = pages_.find(page);
    if (entry == pages_.end()) return found;
    for (Block* block = entry->second.blocks; block; block = in_page(*block, page).next) {
        const std::uint64_t in_first = bytes_in_first_page(*block);
        if (physical - block->physical < in_first ||
            (block->crosses_page && physical - block->second_page < block->bytes - in_first))
            found.push_back(block);
    }
    return found;
}

void BlockCache::invalidate_pages(std::uint64_t first, std::uint64_t last) {
    std::vector<std::uint64_t> pages;
    for (const auto& [page, code] : pages_)
        if (page <= last && page + x86::page_offset_mask >= first) pages.push_back(page);
    for (const std::uint64_t page : pages)
        for (auto entry = pages_.find(page); entry != pages_.end(); entry = pages_.find(page)) {
            if (entry->second.blocks)
                drop(entry->second.blocks);
            else
                forget_page(entry);
        }
}

void BlockCache::invalidate_all() { invalidate_pages(0, ~std::uint64_t{0}); }

void BlockCache::drop_uncompiled() {
    std::vector<Block*> uncompiled;
    for (const auto& [page, code] : pages_)
        for (Block* block = code.blocks; block; block = in_page(*block, page).next)
            if (!block->is_compiled() && (block->physical & ~x86::page_offset_mask) == page)
                uncompiled.push_back(block);
    for (Block* block : uncompiled)
        drop(block);
}

void BlockCache::release() {
    Compiler* compiler = std::exchange(compiler_, nullptr);
    invalidate_all();
    compiler_ = compiler;
    std::fill(filter_.begin(), filter_.end(), 0);
    dropped_ = nullptr;
    dropped_count_ = 0;
    used_ = 0;
    free_.clear();
    free_links_ = nullptr;
    arena_.release();
}

}  // namespace backplane::interp
