#include "tier1/code_arena.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace backplane::jit {

std::expected<CodeArena, std::string> CodeArena::make(std::size_t bytes) {
    const auto failed = [] {
        return std::unexpected{std::string{"memory for compiled code: "} + std::strerror(errno)};
    };
    const std::size_t data_bytes = bytes / data_share;
    CodeArena arena;
    arena.size_ = bytes;
    // Without a file behind it, so that perf asks for names of what is there (perf_map.h).
    void* const writable = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                                MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (writable == MAP_FAILED) return failed();
    arena.writable_ = static_cast<std::uint8_t*>(writable);
    void* const place = mmap(nullptr, bytes + data_bytes, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) return failed();
    arena.executable_ = static_cast<std::uint8_t*>(place);
    arena.data_ = {static_cast<std::byte*>(place) + bytes, data_bytes};
    // With an old size of 0, mremap maps shared memory once more.
    void* const executable = mremap(writable, 0, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, place);
    if (executable == MAP_FAILED) return failed();
    if (mprotect(executable, bytes, PROT_READ | PROT_EXEC) != 0) return failed();
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
