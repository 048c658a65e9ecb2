#include "tier1/code_arena.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace backplane::jit {

std::expected<CodeArena, std::string> CodeArena::make(std::size_t bytes) {
    const auto failed = [](const char* what) {
        return std::unexpected{std::string{what} + ": " + std::strerror(errno)};
    };
    CodeArena arena;
    const int file = memfd_create("backplane-code", MFD_CLOEXEC);
    if (file < 0) return failed("memory for compiled code");
    const auto map = [&](int protection) {
        void* place = mmap(nullptr, bytes, protection, MAP_SHARED, file, 0);
        return place == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(place);
    };
    if (ftruncate(file, static_cast<off_t>(bytes)) == 0) {
        arena.size_ = bytes;
        arena.writable_ = map(PROT_READ | PROT_WRITE);
        arena.executable_ = map(PROT_READ | PROT_EXEC);
    }
    const int error = errno;
    close(file);
    errno = error;
    if (!arena.writable_ || !arena.executable_) return failed("memory for compiled code");
    return arena;
}

CodeArena::CodeArena(CodeArena&& other) noexcept
    : writable_{std::exchange(other.writable_, nullptr)},
      executable_{std::exchange(other.executable_, nullptr)}, size_{other.size_} {}

CodeArena::~CodeArena() {
    if (writable_) munmap(writable_, size_);
    if (executable_) munmap(const_cast<std::uint8_t*>(executable_), size_);
}

}  // namespace backplane::jit
