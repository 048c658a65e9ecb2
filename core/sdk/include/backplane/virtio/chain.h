// One request as the driver hands it over: guest memory to read from, then guest memory to write
// to.
#pragma once

#include <backplane/address_space.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace backplane::virtio {

struct Buffer {
    std::uint64_t address = 0;  // guest physical
    std::uint32_t length = 0;
    bool operator==(const Buffer&) const = default;
};

using Buffers = std::vector<Buffer>;

inline std::uint64_t length_of(std::span<const Buffer> buffers) {
    std::uint64_t length = 0;
    for (const Buffer& each : buffers)
        length += each.length;
    return length;
}

// Calls visit(address, length, done) for each piece of `length` bytes from `offset` on, as far as
// there are any; `done` bytes came before it. The number of bytes visited.
template <class Visit>
std::uint64_t for_each_piece(std::span<const Buffer> buffers, std::uint64_t offset,
                             std::uint64_t length, Visit visit) {
    std::uint64_t done = 0;
    for (const Buffer& each : buffers) {
        if (offset >= each.length) {
            offset -= each.length;
            continue;
        }
        const std::uint64_t part = std::min(each.length - offset, length - done);
        if (part == 0) break;
        visit(each.address + offset, part, done);
        done += part;
        offset = 0;
    }
    return done;
}

struct Chain {
    Buffers readable, writable;

    // For the queue: what the driver knows the chain by, where it begins, and how many places of a
    // packed ring it takes.
    std::uint16_t id = 0, position = 0, slots = 0;

    // The driver may cut a message into buffers as it likes (virtio 1.2, 2.7.4): these gather and
    // scatter. The number of bytes there were.
    std::size_t read(const AddressSpace& memory, std::uint64_t offset,
                     std::span<std::byte> bytes) const {
        return for_each_piece(readable, offset, bytes.size(),
                              [&](std::uint64_t address, std::uint64_t length, std::uint64_t done) {
                                  memory.read(address, bytes.subspan(done, length));
                              });
    }
    std::size_t write(const AddressSpace& memory, std::uint64_t offset,
                      std::span<const std::byte> bytes) const {
        return for_each_piece(writable, offset, bytes.size(),
                              [&](std::uint64_t address, std::uint64_t length, std::uint64_t done) {
                                  memory.write(address, bytes.subspan(done, length));
                              });
    }

    void clear() {
        readable.clear();
        writable.clear();
        id = position = slots = 0;
        bytes_ = 0;
    }

    // Appends a buffer. Why the chain is malformed; null when it is not.
    const char* add(std::uint64_t address, std::uint32_t length, bool is_writable) {
        if (address + length < address) return "a buffer reaches beyond the last address";
        if (!is_writable && !writable.empty()) return "a buffer to read comes after one to write";
        (is_writable ? writable : readable).push_back({address, length});
        bytes_ += length;
        // virtio 1.2, 2.7.5.2: no chain describes more than 2^32 bytes.
        if (bytes_ > std::uint64_t{1} << 32) return "a chain has more than 2^32 bytes";
        return nullptr;
    }

private:
    std::uint64_t bytes_ = 0;
};

}  // namespace backplane::virtio
