#include "bus_master.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace backplane::storage {

namespace {

// A physical region descriptor. (1.2)
struct RegionDescriptor {
    std::uint32_t address;  // of a word
    std::uint16_t count;    // bytes, even; 0 = 64 KiB
    std::uint16_t flags;
};
constexpr std::uint16_t end_of_table = 0x8000;

}  // namespace

void BusMaster::reset() {
    command_ = status_ = 0;
    table_ = next_ = address_ = left_ = 0;
    is_last_ = false;
}

std::uint8_t BusMaster::read(unsigned offset) const {
    switch (offset) {
    case 0: return command_;
    case 2: return status_;
    case 1:
    case 3: return 0;
    default: return static_cast<std::uint8_t>(table_ >> ((offset - 4) * 8));
    }
}

void BusMaster::write(unsigned offset, std::uint8_t value) {
    switch (offset) {
    case 0: return write_command(value);
    case 2:
        // Error and interrupt are cleared by writing ones; only software sets what drives can do.
        status_ &= static_cast<std::uint8_t>(~(value & (Status::error | Status::interrupt)));
        status_ = static_cast<std::uint8_t>((status_ & ~Status::drives_capable) |
                                            (value & Status::drives_capable));
        return;
    case 1:
    case 3: return;
    default: {
        const unsigned shift = (offset - 4) * 8;
        table_ = (table_ & ~(0xffu << shift)) | static_cast<std::uint32_t>(value) << shift;
        table_ &= ~3u;
    }
    }
}

void BusMaster::write_command(std::uint8_t value) {
    const bool was_started = (command_ & Command::start) != 0;
    command_ = value & (Command::start | Command::to_memory);
    const bool is_started = (command_ & Command::start) != 0;
    if (is_started == was_started) return;
    // What stopped in the middle cannot go on: the next start begins the table anew. (1.1)
    left_ = 0;
    is_last_ = false;
    next_ = table_;
    if (!is_started) {
        status_ &= static_cast<std::uint8_t>(~Status::active);
        return;
    }
    status_ |= Status::active;
    channel_->dma_started();
}

// Nothing ever says how long a table is but the host: each descriptor is good for two bytes at
// least, and nobody asks for more than the drive has.
bool BusMaster::next_region() {
    RegionDescriptor entry{};
    std::array<std::byte, sizeof entry> bytes;
    if (!pci_->read(next_, bytes)) return false;
    std::memcpy(&entry, bytes.data(), sizeof entry);
    next_ += sizeof entry;
    address_ = entry.address & ~1u;
    left_ = entry.count & 0xfffeu;
    if (left_ == 0) left_ = 0x10000;
    is_last_ = (entry.flags & end_of_table) != 0;
    return true;
}

std::size_t BusMaster::move(std::span<std::uint8_t> bytes, Direction direction) {
    const bool to_memory = (command_ & Command::to_memory) != 0;
    // A drive that wants the other direction than software chose waits in vain.
    if (to_memory != (direction == Direction::ToMemory)) return 0;
    std::size_t done = 0;
    while (done < bytes.size() && (status_ & Status::active) != 0) {
        if (left_ == 0 && !next_region()) break;
        const auto length = std::min<std::size_t>(left_, bytes.size() - done);
        const auto part = std::as_writable_bytes(bytes.subspan(done, length));
        if (!(to_memory ? pci_->write(address_, part) : pci_->read(address_, part))) break;
        // Half a word still takes a whole one of the region.
        const std::uint32_t taken = std::min<std::uint32_t>(
            left_, static_cast<std::uint32_t>(length + length % 2));
        address_ += taken;
        left_ -= taken;
        done += length;
        if (left_ == 0 && is_last_) status_ &= static_cast<std::uint8_t>(~Status::active);
    }
    return done;
}

}  // namespace backplane::storage
