// Memory for files that are read and written past the host's cache.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

namespace backplane::images {

class AlignedBuffer {
public:
    // More than any disk of today asks for.
    static constexpr std::align_val_t alignment{4096};

    explicit AlignedBuffer(std::size_t size)
        : bytes_{static_cast<std::byte*>(::operator new(size, alignment))}, size_{size} {}

    std::span<std::byte> bytes() { return {bytes_.get(), size_}; }
    std::span<const std::byte> bytes() const { return {bytes_.get(), size_}; }

private:
    struct Free {
        void operator()(std::byte* bytes) const { ::operator delete(bytes, alignment); }
    };

    std::unique_ptr<std::byte[], Free> bytes_;
    std::size_t size_;
};

}  // namespace backplane::images
