// The packet commands of AtapiCdrom that read the medium: blocks go from the image into the buffer,
// as many as fit, and from there to the host.
#include "atapi_cdrom.h"

#include <algorithm>
#include <cstring>

namespace backplane::storage {

std::size_t AtapiCdrom::bytes_of_block() const {
    return ((parts_ & Parts::sync) != 0 ? CdSector::header : 0) +
           ((parts_ & Parts::header) != 0 ? CdSector::data - CdSector::header : 0) +
           ((parts_ & Parts::data) != 0 ? CdSector::data_size : 0) +
           ((parts_ & Parts::codes) != 0 ? CdSector::size - CdSector::codes : 0);
}

void AtapiCdrom::begin_read(std::int64_t first, std::uint32_t count, std::uint8_t parts) {
    const std::int64_t total = blocks();
    if (first < 0 || first > total || count > total - first)
        return check(sense::block_address_out_of_range);
    parts_ = parts;
    if (count == 0 || bytes_of_block() == 0) return good();
    task_ = Task::Read;
    next_block_ = static_cast<std::uint32_t>(first);
    blocks_left_ = count;
    is_single_ = false;
    const std::size_t most = buffer_size / std::max(bytes_of_block(), CdSector::data_size);
    loading_ = static_cast<std::uint32_t>(std::min<std::size_t>(blocks_left_, most));
    const std::uint64_t offset = std::uint64_t{next_block_} * block_size;
    const std::uint64_t length = std::min<std::uint64_t>(std::uint64_t{loading_} * block_size,
                                                         image().info().size - offset);
    start_command_io(BlockOperation::Read, offset, length);
}

BlockResult AtapiCdrom::load_blocks() {
    // The medium that was asked for is gone.
    if (attention_ == sense::medium_may_have_changed || next_block_ >= blocks()) {
        check(std::exchange(attention_, sense::none));
        return BlockResult::Pending;
    }
    const std::size_t most = is_single_
                                 ? 1
                                 : buffer_size / std::max(bytes_of_block(), CdSector::data_size);
    loading_ = static_cast<std::uint32_t>(std::min<std::size_t>(blocks_left_, most));
    const std::uint64_t offset = std::uint64_t{next_block_} * block_size;
    const std::uint64_t length = std::min<std::uint64_t>(std::uint64_t{loading_} * block_size,
                                                         image().info().size - offset);
    return start_io(BlockOperation::Read, offset, length);
}

BlockResult AtapiCdrom::io_done(BlockResult result) {
    if (task_ != Task::Read) return BlockResult::Pending;
    if (result == BlockResult::Ok) {
        blocks_loaded();
        return BlockResult::Pending;
    }
    if (result == BlockResult::NoMedium) {
        check(sense::medium_not_present_tray_closed);
        return BlockResult::Pending;
    }
    if (loading_ > 1) {
        is_single_ = true;
        return load_blocks();
    }
    ++failures_;
    check(sense::unrecovered_read_error, next_block_);
    return BlockResult::Pending;
}

void AtapiCdrom::blocks_loaded() {
    // The last block of an image may be shorter.
    const std::uint64_t there = image().info().size - std::uint64_t{next_block_} * block_size;
    const std::size_t wanted = std::size_t{loading_} * block_size;
    if (there < wanted) std::ranges::fill(bytes().subspan(there, wanted - there), std::uint8_t{0});

    // Parts are put together from the last block back, so that none overwrites one still to come.
    if (parts_ != Parts::data) {
        const std::size_t each = bytes_of_block();
        for (std::uint32_t index = loading_; index-- > 0;) {
            std::array<std::uint8_t, CdSector::size> sector{};
            std::memcpy(sector.data() + CdSector::data,
                        bytes().data() + std::size_t{index} * block_size, block_size);
            complete_cd_sector(sector, next_block_ + index);
            std::size_t at = std::size_t{index} * each;
            const auto add = [&](std::uint8_t part, std::size_t from, std::size_t to) {
                if ((parts_ & part) == 0) return;
                std::memcpy(bytes().data() + at, sector.data() + from, to - from);
                at += to - from;
            };
            add(Parts::sync, 0, CdSector::header);
            add(Parts::header, CdSector::header, CdSector::data);
            add(Parts::data, CdSector::data, CdSector::codes);
            add(Parts::codes, CdSector::codes, CdSector::size);
        }
    }
    blocks_read_ += loading_;
    next_block_ += loading_;
    blocks_left_ -= loading_;
    position_ = next_block_ - 1;
    filled_ = static_cast<std::uint32_t>(loading_ * bytes_of_block());
    moved_ = 0;
    send_more();
}

// (MMC-5, 6.20) Which parts of a sector are wanted is in byte 9. Blocks of mode 1 have no
// subheader; there is no subchannel data, and there are no error flags.
void AtapiCdrom::read_cd(std::int64_t first, std::int64_t count) {
    constexpr unsigned any_type = 0, mode_1 = 2;
    constexpr std::uint8_t all = Parts::sync | Parts::header | Parts::data | Parts::codes;
    constexpr std::uint8_t error_flags = 0x06, subchannel = 0x07;
    if (is_dvd()) return check(sense::incompatible_format);
    const unsigned expected = packet8(1) >> 2 & 7;
    if ((packet8(9) & error_flags) != 0 || (packet8(10) & subchannel) != 0)
        return check(sense::invalid_field_in_packet);
    if (expected != any_type && expected != mode_1)
        return check(sense::illegal_mode_for_this_track);
    begin_read(first, static_cast<std::uint32_t>(count), packet8(9) & all);
}

void AtapiCdrom::read_cd_msf() {
    const CdAddress first{packet8(3), packet8(4), packet8(5)};
    const CdAddress end{packet8(6), packet8(7), packet8(8)};
    if (end.block() < first.block()) return check(sense::invalid_field_in_packet);
    read_cd(first.block(), end.block() - first.block());
}

void AtapiCdrom::seek() {
    const std::uint32_t block = packet32(2);
    if (block >= blocks()) return check(sense::block_address_out_of_range);
    position_ = block;
    good();
}

}  // namespace backplane::storage
