// All blocks that exist: found by physical address, dropped when somebody writes over the code they
// came from.
#pragma once

#include "interp/block.h"
#include "interp/block_table.h"
#include "interp/compiler.h"
#include "interp/large_pages.h"
#include "x86/paging.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace backplane::interp {

// What a block's memory starts from; grows in chunks and is given back all at once, but for one
// chunk: whoever fills an arena needs it again at once.
class BlockArena {
public:
    static constexpr std::size_t alignment = 64, chunk_bytes = large_page_bytes;
    static constexpr std::size_t rounded(std::size_t bytes) {
        return (bytes + alignment - 1) & ~(alignment - 1);
    }

    explicit BlockArena(std::size_t limit) : limit_{limit} {}

    void* allocate(std::size_t bytes);
    bool is_full() const { return chunks_.size() * chunk_bytes >= limit_; }
    std::size_t used() const { return chunks_.size() * chunk_bytes; }
    void release();

private:
    struct Release {
        void operator()(std::byte* chunk) const { free_large_pages(chunk); }
    };

    using Chunk = std::unique_ptr<std::byte, Release>;

    std::size_t limit_, next_ = chunk_bytes;
    std::vector<Chunk> chunks_;
    Chunk spare_;
};

class BlockCache {
public:
    // Told before the first block of a physical page is made and when the last one is gone.
    using Watch = void (*)(void* user, std::uint64_t page, bool watch);

    // The compiler may be none.
    BlockCache(std::size_t arena_bytes, Watch watch, void* user, Compiler* compiler = nullptr);

    // Blocks with code in two pages match only where both are mapped as they were.
    struct Key {
        std::uint64_t physical;
        std::uint8_t mode;
        std::uint16_t segment_end = 0;
    };
    Block* find(Key key, bool crosses_page, std::uint64_t second_page) const;

    // Every block with a byte at this address.
    std::vector<Block*> blocks_at(std::uint64_t physical) const;

    // Room for a block with this many ops, its links and its table of retired instructions.
    Block* allocate(std::size_t ops);
    void insert(Block* block);
    // Another block of the same address comes in its place.
    void replace(Block& old, Block& by);
    // Blocks of this page are about to be made.
    void watch(std::uint64_t page);
    void link(Block*& place, Block* target);

    bool has_code(std::uint64_t physical_page) const {
        return (filter_[filter_word(physical_page)] >> (physical_page >> 12 & 63) & 1) &&
               pages_.contains(physical_page);
    }

    // Drops the blocks that overlap these bytes, which lie within one page. The block being
    // executed stays readable, but leaves before its next op. Gives the number dropped.
    std::size_t invalidate(std::uint64_t physical, std::uint64_t length);
    // Drops the blocks of all pages with one of these bytes.
    void invalidate_pages(std::uint64_t first, std::uint64_t last);
    void invalidate_all();
    void drop(Block* block);
    // Blocks dropped since the last time; and their memory is used again.
    // [safe point] None of them is being executed and nothing points to one.
    std::size_t dropped() const { return dropped_count_; }
    void recycle();

    bool is_full() const { return used_ >= limit_ || arena_.is_full(); }
    bool has_room() const { return used_ <= limit_ / 4 * 3 && !arena_.is_full(); }
    std::size_t arena_bytes() const { return arena_.used(); }
    // Those that the compiler has not compiled.
    void drop_uncompiled();
    // [safe point] No block is being executed and nothing points to any. The compiler is not told
    // of each.
    void release();

private:
    static constexpr unsigned granule_shift = 6;  // 64 granules of 64 bytes in a page
    static constexpr std::size_t filter_words = 4096;

    struct CodePage {
        std::uint64_t granules = 0;  // with blocks; more for a while after blocks were dropped
        // How many blocks each byte is part of, from the first write on that met a granule and no
        // block: where code and data are that near, the blocks are not to be looked through for
        // each of many such writes.
        using Counts = std::array<std::uint16_t, x86::page_size>;
        std::unique_ptr<Counts> counts{};
        Block* blocks = nullptr;

        void add(std::uint64_t first, std::uint64_t last);
        void remove(std::uint64_t first, std::uint64_t last);
        bool may_have(std::uint64_t first, std::uint64_t last) const;
    };

    static std::size_t filter_word(std::uint64_t page) { return (page >> 18) & (filter_words - 1); }
    static std::uint64_t granules_of(std::uint64_t first, std::uint64_t last);
    static std::uint64_t bytes_in_first_page(const Block& block);
    static Block::InPage& in_page(Block& block, std::uint64_t page);
    static void for_each_part(const Block& block, std::uint64_t page, const auto& take);
    static bool has_any(const Block& block, std::uint64_t page, std::uint64_t first,
                        std::uint64_t last);
    static void count_blocks(CodePage& code, std::uint64_t page);
    void add_to_page(Block* block, std::uint64_t page);
    void forget_page(std::unordered_map<std::uint64_t, CodePage>::iterator entry);
    void remove_from_page(Block* block, std::uint64_t page);

    static std::size_t bytes_for(std::size_t ops);

    std::size_t limit_;
    std::size_t used_ = 0;  // by links, and by blocks that are there or are not recycled yet
    BlockArena arena_;
    // By Block::next_dropped. Of those that may be used again, by their ops: who still holds a
    // link's place in an old block cuts a link of the new one at worst.
    Block* dropped_ = nullptr;
    std::size_t dropped_count_ = 0;
    std::vector<Block*> free_;
    IncomingLink* free_links_ = nullptr;
    BlockTable table_;
    std::vector<std::uint64_t> filter_ = std::vector<std::uint64_t>(filter_words);
    std::unordered_map<std::uint64_t, CodePage> pages_;
    Watch watch_;
    void* user_;
    Compiler* compiler_;
};

}  // namespace backplane::interp
