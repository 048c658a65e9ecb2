// Memory for compiled code, mapped twice: written through one address, executed at the other, and
// never both at one (W^X). Behind what is executed is data that the code finds from where it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
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
    // Zero at first.
    std::span<std::byte> data() const { return data_; }

private:
    static constexpr std::size_t data_share = 16;  // of what there is of code

    CodeArena() = default;

    std::uint8_t* writable_ = nullptr;
    const std::uint8_t* executable_ = nullptr;
    std::size_t size_ = 0;
    std::span<std::byte> data_;
};

}  // namespace backplane::jit
