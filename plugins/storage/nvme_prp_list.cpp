#include "nvme_data_pointer.h"

#include <algorithm>
#include <array>

namespace backplane::storage::nvme {

namespace {

constexpr std::uint64_t entry_size = 8;

// Entries of a list, read as many at a time as are sure to be there.
class ListReader {
public:
    ListReader(const AddressSpace& memory, std::uint64_t address, std::uint64_t page_size)
        : memory_{memory}, page_size_{page_size} {
        begin(address);
    }

    // `left` are the entries that are wanted, this one too.
    std::uint64_t next(std::uint64_t left) {
        if (at_ == count_) read(left);
        return entries_[at_++];
    }
    // The next entry is the last of its page, which points to more when more are wanted.
    bool is_at_end_of_page() const { return place() + entry_size == page_size_; }
    void begin(std::uint64_t address) {
        address_ = address;
        at_ = count_ = 0;
    }

private:
    std::uint64_t place() const {
        return (address_ - (count_ - at_) * entry_size) & (page_size_ - 1);
    }

    void read(std::uint64_t left) {
        const std::uint64_t in_page = (page_size_ - (address_ & (page_size_ - 1))) / entry_size;
        count_ = static_cast<std::size_t>(
            std::min<std::uint64_t>({left, in_page, entries_.size()}));
        at_ = 0;
        memory_.read(address_, std::as_writable_bytes(std::span{entries_}.first(count_)));
        address_ += count_ * entry_size;
    }

    const AddressSpace& memory_;
    std::uint64_t page_size_;
    std::uint64_t address_ = 0;  // of what has not been read yet
    std::array<std::uint64_t, 64> entries_{};
    std::size_t at_ = 0, count_ = 0;
};

}  // namespace

// Every page of a list but the first has more than one entry, so that as many are looked at as the
// data has pages, and few more.
Status add_prps(const AddressSpace& memory, std::uint64_t prp1, std::uint64_t prp2,
                std::uint64_t length, unsigned page_shift, GuestBuffer& buffer) {
    const std::uint64_t page_size = std::uint64_t{1} << page_shift;
    const std::uint64_t offset_mask = page_size - 1;
    if ((prp1 & 3) != 0) return Status::PrpOffsetInvalid;
    const std::uint64_t first = std::min(length, page_size - (prp1 & offset_mask));
    buffer.add(prp1, first);
    std::uint64_t left = length - first;
    if (left == 0) return Status::Success;
    if (left <= page_size) {
        if ((prp2 & offset_mask) != 0) return Status::PrpOffsetInvalid;
        buffer.add(prp2, left);
        return Status::Success;
    }
    if (prp2 % entry_size != 0) return Status::PrpOffsetInvalid;
    ListReader list{memory, prp2, page_size};
    while (left != 0) {
        const std::uint64_t pages = (left + offset_mask) >> page_shift;
        const bool is_pointer = list.is_at_end_of_page() && pages > 1;
        const std::uint64_t entry = list.next(pages);
        if ((entry & offset_mask) != 0) return Status::PrpOffsetInvalid;
        if (is_pointer) {
            list.begin(entry);
            continue;
        }
        const std::uint64_t part = std::min(left, page_size);
        buffer.add(entry, part);
        left -= part;
    }
    return Status::Success;
}

}  // namespace backplane::storage::nvme
