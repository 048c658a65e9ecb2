// The two levels of the TLB that every engine has. The first one is looked into by three
// instructions of the engine's own; here it is the same comparison in C++.
#include "x86/tlb.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <memory>

namespace backplane::x86 {
namespace {

constexpr std::uint64_t page_bytes = page_offset_mask + 1;

PageTranslation translation(std::uint64_t physical, bool global = false, std::uint8_t shift = 12) {
    return {.physical = physical,
            .shift = shift,
            .writable = true,
            .user = true,
            .executable = true,
            .global = global,
            .dirty = true};
}

FastPage fast_page(std::uint64_t linear) {
    return {.read_tag = linear, .write_tag = linear, .addend = 1, .host = linear};
}

void tlb_first_level_hit(benchmark::State& state) {
    const auto tlb = std::make_unique<FastTlb>();
    for (std::uint64_t page = 0; page < fast_pages; ++page)
        tlb->fill(page * page_bytes, fast_page(page * page_bytes), false, page_shift);
    std::uint64_t linear = 0, hits = 0;
    for (auto _ : state) {
        const FastPage& page = tlb->pages[fast_index(linear)];
        hits += ((linear + 7) & ~page_offset_mask) == page.read_tag ? 1 : 0;
        benchmark::DoNotOptimize(linear += 8);
        linear %= fast_pages * page_bytes;
    }
    benchmark::DoNotOptimize(hits);
}
BENCHMARK(tlb_first_level_hit);

void tlb_first_level_fill(benchmark::State& state) {
    const auto tlb = std::make_unique<FastTlb>();
    std::uint64_t linear = 0;
    for (auto _ : state) {
        linear += page_bytes;
        tlb->fill(linear, fast_page(linear), false, page_shift);
    }
}
BENCHMARK(tlb_first_level_fill);

// As after each switch of processes: so many pages were in use.
void tlb_first_level_fill_and_flush(benchmark::State& state) {
    const auto tlb = std::make_unique<FastTlb>();
    for (auto _ : state) {
        for (std::int64_t page = 0; page < state.range(0); ++page) {
            const auto linear = static_cast<std::uint64_t>(page) * page_bytes;
            tlb->fill(linear, fast_page(linear), false, page_shift);
        }
        tlb->flush_non_global();
    }
}
BENCHMARK(tlb_first_level_fill_and_flush)->Arg(0)->Arg(64)->Arg(4096);

void tlb_first_level_flush_page(benchmark::State& state) {
    const auto tlb = std::make_unique<FastTlb>();
    std::uint64_t linear = 0;
    for (auto _ : state) {
        linear += page_bytes;
        tlb->fill(linear, fast_page(linear), false, page_shift);
        benchmark::DoNotOptimize(tlb->flush_page(linear));
    }
}
BENCHMARK(tlb_first_level_flush_page);

void tlb_second_level_hit(benchmark::State& state) {
    constexpr std::uint64_t pages = 4096;
    const auto tlb = std::make_unique<SecondLevelTlb>();
    for (std::uint64_t page = 0; page < pages; ++page)
        tlb->insert(page * page_bytes, translation(page * page_bytes));
    std::uint64_t linear = 0, misses = 0;
    for (auto _ : state) {
        misses += tlb->find(linear) == nullptr ? 1 : 0;
        linear = (linear + page_bytes) % (pages * page_bytes);
    }
    if (misses != 0) state.SkipWithError("pages are missing");
}
BENCHMARK(tlb_second_level_hit);

void tlb_second_level_large_page_hit(benchmark::State& state) {
    constexpr std::uint8_t large_shift = 21;
    const auto tlb = std::make_unique<SecondLevelTlb>();
    for (std::uint64_t page = 0; page < 32; ++page)
        tlb->insert(page << large_shift, translation(page << large_shift, true, large_shift));
    std::uint64_t linear = 0, misses = 0;
    for (auto _ : state) {
        misses += tlb->find(linear) == nullptr ? 1 : 0;
        linear = (linear + (std::uint64_t{1} << large_shift)) % (std::uint64_t{32} << large_shift);
    }
    if (misses != 0) state.SkipWithError("pages are missing");
}
BENCHMARK(tlb_second_level_large_page_hit);

void tlb_second_level_miss(benchmark::State& state) {
    const auto tlb = std::make_unique<SecondLevelTlb>();
    std::uint64_t linear = 0;
    for (auto _ : state)
        benchmark::DoNotOptimize(tlb->find(linear += page_bytes));
}
BENCHMARK(tlb_second_level_miss);

void tlb_second_level_insert(benchmark::State& state) {
    const auto tlb = std::make_unique<SecondLevelTlb>();
    std::uint64_t linear = 0;
    for (auto _ : state) {
        linear += page_bytes;
        tlb->insert(linear, translation(linear));
    }
}
BENCHMARK(tlb_second_level_insert);

void tlb_second_level_flush(benchmark::State& state) {
    const auto tlb = std::make_unique<SecondLevelTlb>();
    for (auto _ : state)
        tlb->flush_non_global();
}
BENCHMARK(tlb_second_level_flush);

}  // namespace
}  // namespace backplane::x86
