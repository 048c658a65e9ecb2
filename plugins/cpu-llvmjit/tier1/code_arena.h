// Memory for compiled code, mapped twice: written through one address, executed at the other, and
// never both at one (W^X).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>

namespace backplane::jit {

class CodeArena {
public:
    static std::expected<CodeArena, std::string> make(std::size_t bytes);
    CodeArena(CodeArena&& other) noexcept;
    CodeArena& operator=(CodeArena&&) = delete;
    ~CodeArena();

    std::uint8_t* writable() const { return writable_; }
    const std::uint8_t* executable() const { return executable_; }
    std::size_t size() const { return size_; }

    std::size_t used() const { return used_; }
    std::size_t free() const { return size_ - used_; }
    void take(std::size_t bytes) { used_ += bytes; }
    void release_to(std::size_t used) { used_ = used; }

private:
    CodeArena() = default;

    std::uint8_t* writable_ = nullptr;
    const std::uint8_t* executable_ = nullptr;
    std::size_t size_ = 0, used_ = 0;
};

}  // namespace backplane::jit
