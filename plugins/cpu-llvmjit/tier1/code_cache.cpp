#include "tier1/code_cache.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace backplane::jit {
namespace {

// Less is no use to any block.
constexpr std::size_t least_room = 256, alignment = 4;

void empty(CodeCache::Generation& generation) {
    generation.blocks.clear();
    generation.memory.release();
    generation.hot.used = generation.hot.start;
    generation.cold.used = generation.cold.start;
    generation.far_links.used = generation.far_links.start;
}

}  // namespace

CodeCache::CodeCache(CodeArena arena, std::size_t max_blocks)
    : arena_{std::move(arena)},
      blocks_per_generation_{std::max<std::size_t>(max_blocks / generations, 1)} {
    share(0);
}

void CodeCache::share(Place bytes) {
    shared_ = bytes;
    const auto part = [](std::size_t start, std::size_t end, std::size_t i, std::size_t unit) {
        const std::size_t bytes = (end - start) / generations / unit * unit;
        const auto first = static_cast<Place>(start + bytes * i);
        return Part{first, first, static_cast<Place>(first + bytes)};
    };
    // Blocks have about so much of each.
    const std::size_t middle = size() / 8 * 3, first = (bytes + alignment - 1) & ~(alignment - 1);
    for (std::size_t i = 0; i < generations; ++i) {
        generations_[i].hot = part(first, middle, i, alignment);
        generations_[i].cold = part(middle, size(), i, alignment);
        generations_[i].far_links = part(size(), size() + arena_.data().size(), i, sizeof(FarLink));
    }
}

bool CodeCache::has_room() const {
    const Generation& now = current();
    return now.hot.free_bytes() >= least_room && now.cold.free_bytes() >= least_room &&
           now.blocks.size() < blocks_per_generation_;
}

void CodeCache::installed(NativeBlock& native, std::size_t handlers) {
    Generation& now = generations_[current_];
    now.hot.used = static_cast<Place>((native.end + alignment - 1) & ~(alignment - 1));
    now.cold.used = native.cold_end;
    now.far_links.used = native.far_links_end;
    for (Edge& edge : native.edges)
        if (edge.far_link) far_link(edge.far_link) = {.edge = &edge};
    if (native.second_page) far_link(native.second_page) = {};
    native.handlers = std::pmr::polymorphic_allocator<const void*>{&now.memory}.allocate(handlers);
}

// Where its blocks were linked to, they are not any more.
void CodeCache::reuse_oldest() {
    current_ = (current_ + 1) % generations;
    Generation& oldest = generations_[current_];
    for (NativeBlock& native : oldest.blocks)
        for (Edge& edge : native.edges)
            if (edge.target) edge.target->incoming.remove(&edge);
    empty(oldest);
}

void CodeCache::clear() {
    std::ranges::for_each(generations_, empty);
    current_ = 0;
}

std::size_t CodeCache::used() const {
    std::size_t bytes = shared_;
    for (const Generation& generation : generations_)
        bytes += generation.hot.used_bytes() + generation.cold.used_bytes();
    return bytes;
}

const NativeBlock* CodeCache::block_at(Place place) const {
    for (const Generation& generation : generations_) {
        const bool is_hot = generation.hot.contains(place);
        if (!is_hot && !generation.cold.contains(place)) continue;
        const auto behind = std::ranges::upper_bound(
            generation.blocks, place, {}, is_hot ? &NativeBlock::start : &NativeBlock::cold_start);
        if (behind == generation.blocks.begin()) return nullptr;
        const NativeBlock& native = *std::prev(behind);
        return place < (is_hot ? native.end : native.cold_end) ? &native : nullptr;
    }
    return nullptr;
}

void CodeCache::link(Edge& edge, NativeBlock& target) {
    if (edge.target) edge.target->incoming.remove(&edge);
    edge.target = &target;
    target.incoming.push_front(&edge);
}

void CodeCache::forget_far_links() {
    for (const Generation& generation : generations_) {
        const auto [start, used, end] = generation.far_links;
        for (Place place = start; place < used; place += sizeof(FarLink))
            far_link(place).page_key = 0;
    }
}

}  // namespace backplane::jit
