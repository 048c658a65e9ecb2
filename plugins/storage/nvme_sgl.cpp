#include "nvme_data_pointer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace backplane::storage::nvme {

namespace {

struct Descriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::array<std::uint8_t, 3> reserved;
    std::uint8_t identifier;

    unsigned type() const { return identifier >> 4; }
    unsigned sub_type() const { return identifier & 15; }
    bool leads_on() const;
};
static_assert(sizeof(Descriptor) == 16);

// Descriptor types. (4.4.1)
constexpr unsigned data_block = 0, bit_bucket = 1, segment = 2, last_segment = 3;

bool Descriptor::leads_on() const { return type() == segment || type() == last_segment; }

// Enough for data in blocks of 32 bytes. Lists that go round in circles, or go on without any data,
// end here.
constexpr std::uint64_t most_descriptors = 16384;

class SglReader {
public:
    SglReader(const AddressSpace& memory, std::uint64_t length, Direction direction,
              GuestBuffer& buffer)
        : memory_{memory}, left_{length}, direction_{direction}, buffer_{buffer} {}

    Status read(const Descriptor& first) {
        if (!first.leads_on()) {
            if (const Status status = take(first); status != Status::Success) return status;
            return left_ == 0 ? Status::Success : Status::DataSglLengthInvalid;
        }
        Descriptor next = first;
        while (left_ != 0) {
            const bool is_last = next.type() == last_segment;
            if (const Status status = check_segment(next); status != Status::Success) return status;
            if (const Status status = read_segment(next); status != Status::Success) return status;
            if (is_last && left_ != 0) return Status::DataSglLengthInvalid;
        }
        return Status::Success;
    }

private:
    static Status check_segment(const Descriptor& descriptor) {
        if (descriptor.sub_type() != 0) return Status::SglDescriptorTypeInvalid;
        const bool is_whole = descriptor.length != 0 &&
                              descriptor.length % sizeof(Descriptor) == 0 &&
                              descriptor.address % 8 == 0;
        return is_whole ? Status::Success : Status::InvalidSglSegmentDescriptor;
    }

    // All descriptors of the segment; `of` becomes the one that leads on.
    Status read_segment(Descriptor& of) {
        const bool is_last = of.type() == last_segment;
        std::uint64_t address = of.address;
        std::uint64_t count = of.length / sizeof(Descriptor);
        while (count != 0 && left_ != 0) {
            std::array<Descriptor, 64> part;
            const auto taken = static_cast<std::size_t>(
                std::min<std::uint64_t>(count, part.size()));
            memory_.read(address, std::as_writable_bytes(std::span{part}.first(taken)));
            address += taken * sizeof(Descriptor);
            count -= taken;
            for (std::size_t index = 0; index < taken && left_ != 0; ++index) {
                if (++descriptors_ > most_descriptors) return Status::InvalidNumberOfSglDescriptors;
                const Descriptor& descriptor = part[index];
                const bool is_at_end = count == 0 && index + 1 == taken;
                // A segment but the last leads on with its last descriptor, and no other does.
                if (descriptor.leads_on() != (is_at_end && !is_last))
                    return Status::InvalidSglSegmentDescriptor;
                if (descriptor.leads_on()) {
                    of = descriptor;
                    continue;
                }
                if (const Status status = take(descriptor); status != Status::Success)
                    return status;
            }
        }
        return Status::Success;
    }

    Status take(const Descriptor& descriptor) {
        if (descriptor.sub_type() != 0) return Status::SglDescriptorTypeInvalid;
        const std::uint64_t length = std::min<std::uint64_t>(descriptor.length, left_);
        if (descriptor.type() == data_block) {
            buffer_.add(descriptor.address, length);
        } else if (descriptor.type() == bit_bucket) {
            // What goes from the guest cannot come out of a bucket: it counts as empty.
            if (direction_ == Direction::FromGuest) return Status::Success;
            buffer_.add_bit_bucket(length);
        } else {
            return Status::SglDescriptorTypeInvalid;
        }
        left_ -= length;
        return Status::Success;
    }

    const AddressSpace& memory_;
    std::uint64_t left_;
    Direction direction_;
    GuestBuffer& buffer_;
    std::uint64_t descriptors_ = 0;
};

}  // namespace

Status add_sgl(const AddressSpace& memory, const Command& command, std::uint64_t length,
               Direction direction, GuestBuffer& buffer) {
    std::array<std::uint32_t, 4> dwords;
    std::copy_n(command.dwords.begin() + 6, dwords.size(), dwords.begin());
    return SglReader{memory, length, direction, buffer}.read(std::bit_cast<Descriptor>(dwords));
}

}  // namespace backplane::storage::nvme
