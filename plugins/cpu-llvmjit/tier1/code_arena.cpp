#include "tier1/code_arena.h"

#include "interp/large_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <utility>

namespace backplane::jit {
namespace {

// Addresses for so many bytes, which the host can have in its large pages, with nothing behind
// them.
void* reserve(std::size_t bytes) {
    constexpr std::size_t alignment = interp::large_page_bytes;
    void* const place = mmap(nullptr, bytes + alignment, PROT_NONE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) return place;
    auto* const start = static_cast<std::byte*>(place);
    const std::size_t before = -reinterpret_cast<std::uintptr_t>(place) % alignment;
    if (before != 0) munmap(start, before);
    munmap(start + before + bytes, alignment - before);
    return start + before;
}

std::size_t whole_pages(std::size_t bytes) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return (bytes + page - 1) / page * page;
}

}  // namespace

std::expected<CodeArena, std::string> CodeArena::make(std::size_t bytes) {
    const auto failed = [] {
        return std::unexpected{std::string{"memory for compiled code: "} + std::strerror(errno)};
    };
    const std::size_t data_bytes = bytes / data_share;
    CodeArena arena;
    arena.size_ = bytes;
    // Without a file behind it, so that perf asks for names of what is there (perf_map.h).
    void* const reserved = reserve(whole_pages(bytes));
    if (reserved == MAP_FAILED) return failed();
    arena.writable_ = static_cast<std::uint8_t*>(reserved);
    void* const writable = mmap(reserved, bytes, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (writable == MAP_FAILED) return failed();
    void* const place = reserve(whole_pages(bytes + data_bytes));
    if (place == MAP_FAILED) return failed();
    arena.executable_ = static_cast<std::uint8_t*>(place);
    arena.data_ = {static_cast<std::byte*>(place) + bytes, data_bytes};
    if (mprotect(place, bytes + data_bytes, PROT_READ | PROT_WRITE) != 0) return failed();
    // With an old size of 0, mremap maps shared memory once more.
    void* const executable = mremap(writable, 0, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    if (executable == MAP_FAILED) return failed();
    if (mprotect(executable, bytes, PROT_READ | PROT_EXEC) != 0) return failed();
    // The host may refuse it.
    madvise(writable, bytes, MADV_HUGEPAGE);
    madvise(executable, bytes, MADV_HUGEPAGE);
    return arena;
}

CodeArena::CodeArena(CodeArena&& other) noexcept
    : writable_{std::exchange(other.writable_, nullptr)},
      executable_{std::exchange(other.executable_, nullptr)}, size_{other.size_},
      data_{other.data_} {}

CodeArena::~CodeArena() {
    if (writable_) munmap(writable_, size_);
    if (executable_) munmap(const_cast<std::uint8_t*>(executable_), size_ + data_.size());
}

}  // namespace backplane::jit
