#include "ahci_regions.h"

#include <algorithm>

namespace backplane::storage {

namespace {

constexpr std::uint64_t block = 512;
constexpr std::size_t most_segments = 1024;      // what a host's vectored I/O takes
constexpr std::uint64_t most_copied = 64 << 10;  // of a loan that is a copy

}  // namespace

void AhciRegions::use(AhciMemory& memory, std::uint64_t table, std::uint32_t entries) {
    if (memory_ == &memory && table_ == table && entries_ == entries) return;
    memory_ = &memory;
    table_ = table;
    entries_ = entries;
    is_loaded_ = false;
    interrupt_ = false;
}

// Loads the region of this byte; false behind the last one.
bool AhciRegions::seek(std::uint64_t offset) {
    if (!is_loaded_ || offset < begin_) {
        index_ = 0;
        begin_ = 0;
        is_loaded_ = false;
    }
    while (index_ < entries_) {
        if (!is_loaded_) {
            const std::uint64_t at = table_ + std::uint64_t{index_} * sizeof entry_;
            if (!memory_->read(at, std::as_writable_bytes(std::span{&entry_, 1}))) return false;
            is_loaded_ = true;
        }
        if (offset - begin_ < entry_.length()) return true;
        begin_ += entry_.length();
        ++index_;
        is_loaded_ = false;
    }
    return false;
}

AhciRegions::Piece AhciRegions::piece_at(std::uint64_t offset, std::uint64_t most) {
    if (!seek(offset)) return {};
    const std::uint64_t into = offset - begin_;
    Piece piece{entry_.start() + into, std::min<std::uint64_t>(most, entry_.length() - into)};
    piece.interrupts = interrupts(piece);
    return piece;
}

bool AhciRegions::interrupts(const Piece& piece) const {
    const bool is_end = piece.address + piece.length == entry_.start() + entry_.length();
    return is_end && (entry_.flags & ahci::RegionEntry::interrupt) != 0;
}

std::size_t AhciRegions::copy(std::uint64_t offset, std::span<std::uint8_t> bytes,
                              Direction direction) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const Piece piece = piece_at(offset + done, bytes.size() - done);
        if (piece.length == 0) break;
        const auto part = std::as_writable_bytes(bytes.subspan(done, piece.length));
        const bool moved = direction == Direction::ToMemory ? memory_->write(piece.address, part)
                                                            : memory_->read(piece.address, part);
        if (!moved) break;
        interrupt_ |= piece.interrupts;
        done += piece.length;
    }
    return done;
}

std::uint64_t AhciRegions::lend(std::uint64_t offset, std::uint64_t length, Direction direction) {
    direction_ = direction;
    lent_offset_ = offset;
    segments_.clear();
    pieces_.clear();
    if (!memory_->is_master()) return 0;
    const AddressSpace space = memory_->space();
    backplane_range range{};
    std::uint64_t total = 0;
    while (total < length && segments_.size() < most_segments) {
        Piece piece = piece_at(offset + total, length - total);
        if (piece.length == 0) break;
        if (piece.address - range.start >= range.length) range = space.find(piece.address);
        const bool is_direct = range.memory != nullptr &&
                               (direction == Direction::ToMemory ? range.writable
                                                                 : range.readable) != 0;
        if (!is_direct) break;
        const std::uint64_t into = piece.address - range.start;
        piece.length = std::min(piece.length, range.length - into);
        piece.interrupts = interrupts(piece);
        segments_.push_back({range.memory + into, piece.length});
        pieces_.push_back(piece);
        total += piece.length;
    }
    // Whole blocks; the bytes behind them come with the next loan.
    for (std::uint64_t more = total % block; more != 0;) {
        const std::uint64_t cut = std::min(more, pieces_.back().length);
        pieces_.back().length -= cut;
        segments_.back().length -= cut;
        pieces_.back().interrupts = false;
        if (pieces_.back().length == 0) {
            pieces_.pop_back();
            segments_.pop_back();
        }
        more -= cut;
    }
    if (segments_.empty()) lend_copy(offset, std::min(length, most_copied));
    std::uint64_t lent = 0;
    for (const auto& segment : segments_)
        lent += segment.length;
    return lent;
}

void AhciRegions::lend_copy(std::uint64_t offset, std::uint64_t length) {
    std::uint64_t there = 0;
    while (there < length) {
        const Piece piece = piece_at(offset + there, length - there);
        if (piece.length == 0) break;
        there += piece.length;
    }
    there -= there % block;
    if (there == 0) return;
    copy_.resize(there);
    if (direction_ == Direction::FromMemory) copy(offset, copy_, Direction::FromMemory);
    segments_.push_back({copy_.data(), there});
}

// Memory that was filled where it is still has to be written, as far as others are concerned: they
// keep track of pages, and of code in them.
void AhciRegions::take_back(std::uint64_t moved) {
    if (segments_.empty()) return;
    if (pieces_.empty() && direction_ == Direction::ToMemory)
        copy(lent_offset_, std::span{copy_}.first(std::min<std::uint64_t>(moved, copy_.size())),
             Direction::ToMemory);
    std::uint64_t left = moved;
    for (std::size_t index = 0; index < pieces_.size() && left != 0; ++index) {
        const Piece& piece = pieces_[index];
        const std::uint64_t length = std::min(left, piece.length);
        if (direction_ == Direction::ToMemory)
            memory_->announce(piece.address,
                              {static_cast<const std::byte*>(segments_[index].data), length});
        if (length == piece.length) interrupt_ |= piece.interrupts;
        left -= length;
    }
    segments_.clear();
    pieces_.clear();
}

}  // namespace backplane::storage
