// A CD-ROM and DVD-ROM drive: the packet commands of MMC over an image of 2048-byte blocks, which
// is one data track. (ATA/ATAPI-7; MMC-5; SFF-8020i for what old hosts send)
//
// An image of more blocks than a CD has addresses for is a DVD. There is no audio, and nothing can
// be written.
#pragma once

#include "ata_drive.h"
#include "cd_sector.h"
#include "identify_data.h"
#include "scsi_sense.h"

namespace backplane::storage {

class AtapiCdrom final : public AtaDrive {
public:
    static void declare(Declaration<AtapiCdrom>& d);

    Outcome start();
    void reset(ResetKind kind);
    void medium_changed();
    void eject_requested();

private:
    static constexpr std::uint32_t block_size = 2048;

    // What the next end of a phase, or of a request to the image, is about.
    enum class Task : std::uint8_t { None, Identify, Packet, Reply, Read, Parameters };

    // How the bytes of a block are sent: READ CD chooses among the parts of a sector.
    struct Parts {
        static constexpr std::uint8_t sync = 0x80, header = 0x20, data = 0x10, codes = 0x08;
    };

    // AtaDrive
    void begin_command() override;
    void phase_done() override;
    BlockResult io_done(BlockResult result) override;
    void reset_command(std::uint32_t kind) override;
    std::uint64_t signature() const override { return packet_signature; }
    // Not ready for commands but those of packet devices. (ATA/ATAPI-6, 9.12)
    std::uint8_t idle_status() const override { return 0; }

    // atapi_cdrom.cpp: the transport
    void abort_with_signature();
    void identify();
    void begin_packet();
    void run_packet();
    void reply(std::size_t length, std::size_t allocated);
    void take_parameters(std::size_t length);
    void send_more();
    void good();
    void refuse();
    void check(const Sense& sense, std::uint32_t information = 0);
    std::span<std::uint8_t> empty_reply(std::size_t length);

    // cd_commands.cpp
    bool run_without_medium();
    void run_with_medium();
    void request_sense();
    void inquiry();
    void inquire_vital_product_data();
    void start_stop();
    void prevent_removal();
    void mechanism_status();
    void get_event_status();

    // cd_read.cpp
    void begin_read(std::int64_t first, std::uint32_t count, std::uint8_t parts);
    void read_cd(std::int64_t first, std::int64_t count);
    void read_cd_msf();
    void seek();
    BlockResult load_blocks();
    void blocks_loaded();
    std::size_t bytes_of_block() const;

    // cd_disc_information.cpp
    void read_capacity();
    void read_toc();
    void read_sub_channel();
    void read_disc_information();
    void read_track_information();
    void read_dvd_structure();
    void get_configuration();
    void put_address(std::span<std::uint8_t> place, std::uint32_t block, bool as_time) const;

    // cd_mode_pages.cpp
    void mode_sense(bool is_long);
    void begin_mode_select(bool is_long);
    void apply_parameters();
    std::size_t put_page(std::size_t at, std::uint8_t page, bool changeable);

    // The medium, as far as the host can see it.
    std::uint32_t blocks() const;
    bool has_medium() const { return !tray_open_ && blocks() != 0; }
    bool is_dvd() const { return blocks() > CdAddress::most_blocks; }

    std::uint8_t packet8(std::size_t at) const { return packet_[at]; }
    std::uint16_t packet16(std::size_t at) const {
        return static_cast<std::uint16_t>(packet_[at] << 8 | packet_[at + 1]);
    }
    std::uint32_t packet24(std::size_t at) const {
        return std::uint32_t{packet_[at]} << 16 | packet16(at + 1);
    }
    std::uint32_t packet32(std::size_t at) const {
        return std::uint32_t{packet16(at)} << 16 | packet16(at + 2);
    }

    std::string vendor_ = "BACKPLAN", model_ = "CD-ROM", firmware_ = "1.0";

    // State of the drive
    bool tray_open_ = false, is_locked_ = false;
    Sense sense_;
    std::uint32_t sense_information_ = 0;
    Sense attention_;                          // that the next command is refused with
    std::uint8_t media_event_ = 0;             // for GET EVENT STATUS NOTIFICATION
    std::uint32_t position_ = 0;               // of the pickup: the last block read
    std::uint8_t retries_ = 5, recovery_ = 0;  // of page 1

    // The packet command in progress
    Task task_ = Task::None;
    std::array<std::uint8_t, 12> packet_{};
    bool by_dma_ = false;
    std::uint16_t limit_ = 0;   // bytes of one PIO block
    std::uint32_t filled_ = 0;  // bytes in the buffer that are to be moved
    std::uint32_t moved_ = 0;   // of them
    std::uint32_t moving_ = 0;  // in the phase that goes on
    std::uint32_t next_block_ = 0, blocks_left_ = 0, loading_ = 0;
    std::uint8_t parts_ = 0;
    bool is_single_ = false;  // after a failure: which block is it?
    std::uint64_t blocks_read_ = 0, failures_ = 0, packets_ = 0;
};

// Big-endian values in replies.
inline void put16(std::span<std::uint8_t> bytes, std::size_t at, std::uint32_t value) {
    bytes[at] = static_cast<std::uint8_t>(value >> 8);
    bytes[at + 1] = static_cast<std::uint8_t>(value);
}
inline void put32(std::span<std::uint8_t> bytes, std::size_t at, std::uint32_t value) {
    put16(bytes, at, value >> 16);
    put16(bytes, at + 2, value);
}
inline void put_text(std::span<std::uint8_t> bytes, std::size_t at, std::size_t length,
                     std::string_view text) {
    for (std::size_t index = 0; index < length; ++index) {
        const char c = index < text.size() ? text[index] : ' ';
        bytes[at + index] = static_cast<std::uint8_t>(c >= 0x20 && c < 0x7f ? c : ' ');
    }
}

}  // namespace backplane::storage
