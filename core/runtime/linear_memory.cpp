#include "runtime/linear_memory.h"

#include <algorithm>

namespace backplane::runtime {

namespace {

constexpr std::uint64_t page_size = 4096;

}  // namespace

template <class Bytes, class Access>
std::size_t LinearMemory::by_pages(std::uint64_t address, std::span<Bytes> bytes,
                                   Access access) const {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const std::uint64_t linear = address + done;
        const auto physical = cpu_.translate(linear);
        if (!physical) break;
        const std::size_t part = std::min<std::size_t>(bytes.size() - done,
                                                       page_size - linear % page_size);
        access(*physical, bytes.subspan(done, part));
        done += part;
    }
    return done;
}

std::size_t LinearMemory::read(std::uint64_t address, std::span<std::byte> to) const {
    return by_pages(address, to, [this](std::uint64_t physical, std::span<std::byte> part) {
        memory_.read_block(physical, part.data(), part.size());
    });
}

std::size_t LinearMemory::write(std::uint64_t address, std::span<const std::byte> from) const {
    return by_pages(address, from, [this](std::uint64_t physical, std::span<const std::byte> part) {
        memory_.write_block(physical, part.data(), part.size());
    });
}

}  // namespace backplane::runtime
