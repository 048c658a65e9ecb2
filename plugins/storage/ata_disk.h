// A hard disk: the ATA commands over an image, at an IDE cable or a SATA port. (ATA/ATAPI-7; TRIM,
// logs and queued commands from ACS-3)
//
// A disk whose image has no file is not there: its place on the cable stays empty. At a SATA port
// it comes and goes with the image's medium.
//
// It has 48-bit addresses, READ and WRITE MULTIPLE, DMA, a write cache, TRIM, SMART, power
// management and, at a SATA port, 32 queued commands. It says that it has no security and no host
// protected area (READ NATIVE MAX is answered, SET MAX is not), and aborts those.
#pragma once

#include "ata_drive.h"
#include "direct_transfers.h"
#include "disk_address.h"
#include "identify_data.h"

namespace backplane::storage {

class AtaDisk final : public AtaDrive, private DirectTransfers::Owner {
public:
    static void declare(Declaration<AtaDisk>& d);

    Outcome start();
    void restored();
    void stop();
    void halt() override { transfers_.halt(); }

private:
    // What the image tells a disk at an IDE cable, and one at a SATA port.
    struct FixedDisk {
        AtaDisk& disk;
        void resized() { disk.resized(); }
    };
    struct PluggedDisk {
        AtaDisk& disk;
        void resized() { disk.resized(); }
        void medium_changed() { disk.plug_changed(); }
    };

    static constexpr std::uint32_t sector_size = 512;
    static constexpr std::uint32_t sectors_in_buffer = buffer_size / sector_size;
    static constexpr std::uint32_t most_multiple = 16;

    enum class Task : std::uint8_t {
        None,
        Read,
        Write,
        Verify,
        Flush,
        Trim,
        SendBuffer,
        SendPages,  // of logs, block after block or by DMA
        TakeBuffer,
        Direct  // the controller's memory instead of the buffer
    };
    enum class Protocol : std::uint8_t { Pio, Dma };

    // AtaDrive
    void begin_command() override;
    void phase_done() override;
    BlockResult io_done(BlockResult result) override;
    void reset_command(std::uint32_t kind) override;
    std::uint64_t signature() const override { return ata_signature; }
    std::uint8_t idle_status() const override { return ata_status::drdy | ata_status::dsc; }
    bool is_present() const override { return is_plugged_; }
    void attached() override;
    bool intercept_command() override;

    // ata_disk.cpp
    Outcome take_medium();
    void resized();
    void plug_changed();
    void run_simple_command();
    void set_features();
    void set_multiple_mode();
    void initialize_device_parameters();
    void seek();
    void report_native_maximum(AddressWidth width);

    // ata_disk_identify.cpp
    void identify();

    // ata_disk_transfer.cpp
    bool begin_transfer();
    void begin_sectors(Task task, AddressWidth width, Protocol protocol, std::uint32_t block = 1);
    void begin_read();
    void begin_multiple(Task task, AddressWidth width);
    void begin_write_batch();
    void begin_trim();
    void offer_block(bool interrupt);
    BlockResult read_more();
    BlockResult write_out();
    BlockResult verify_more();
    BlockResult trim_more();
    BlockResult finish_task();
    BlockResult after_failure(BlockResult result);
    BlockResult sectors_done();
    std::uint8_t error_of(BlockResult failure, bool is_write) const;

    // ata_disk_queue.cpp
    void begin_queued(DirectTransfers::Direction direction);
    void queue_fails(const backplane_ata_result& registers, unsigned tag);
    void tell_of_queue_failure();
    // DirectTransfers::Owner
    void transfer_done(unsigned slot) override;
    void transfer_failed(unsigned slot, const DirectTransfers::Failure& failure) override;
    void transfers_stopped() override { tell_of_queue_failure(); }
    void sectors_moved(DirectTransfers::Direction direction, std::uint32_t count) override;
    void access_time_over() { transfers_.access_time_over(); }

    // ata_disk_logs.cpp
    void read_log(Protocol protocol);
    void put_log_page(std::span<std::uint8_t> page, std::uint8_t log) const;
    void run_smart();
    void read_smart_data();
    void read_smart_thresholds();
    void read_smart_log();
    void send_page(std::uint32_t pages, Protocol protocol);

    bool is_first_batch() const { return left_ == total_; }
    std::uint32_t write_flags() const { return forced_ ? BACKPLANE_BLOCK_FORCE_ACCESS : 0; }
    std::uint64_t total_sectors() const { return image().info().size / sector_size; }
    void show_address(std::uint64_t sector) {
        set_address(result(), command(), width_, translation_, sector);
    }

    std::string model_ = "BACKPLANE HARDDISK", firmware_ = "1.0";
    std::uint64_t wwn_ = 0;
    std::uint32_t cylinders_ = 0, heads_ = 0, sectors_ = 0;
    bool trim_ = true;

    DiskGeometry geometry_;     // as IDENTIFY words 1, 3 and 6 say
    DiskGeometry translation_;  // what CHS addresses mean: INITIALIZE DEVICE PARAMETERS
    std::uint32_t multiple_ = 0;
    bool write_cache_ = true, look_ahead_ = true;
    bool is_plugged_ = false;
    FixedDisk fixed_{*this};
    PluggedDisk plugged_{*this};

    Task task_ = Task::None;
    AddressWidth width_ = AddressWidth::Bits28;
    Protocol protocol_ = Protocol::Pio;
    bool forced_ = false;        // to stable storage at once
    bool is_single_ = false;     // after a failure: which sector is it?
    std::uint64_t sector_ = 0;   // that is next to be read or written
    std::uint32_t total_ = 0;    // sectors of the command
    std::uint32_t left_ = 0;     // of them still to be read or written
    std::uint32_t block_ = 1;    // sectors of one PIO data block
    std::uint32_t batch_ = 0;    // sectors in the buffer, or wanted there
    std::uint32_t moved_ = 0;    // of the batch, from or to the host
    std::uint32_t written_ = 0;  // of the batch, to the image

    DirectTransfers transfers_;
    // Of the queue, since a command of it failed: until the host reads why, or resets the drive,
    // nothing else is done. (ACS-3, 4.15.4)
    bool queue_has_failed_ = false;
    std::array<std::uint8_t, 14> queue_failure_{};  // what the log's page begins with

    bool smart_ = true, smart_autosave_ = true;
    std::uint8_t self_test_ = 0;  // the last one's subcommand
    std::uint16_t self_test_hours_ = 0;
    std::uint64_t uncorrectable_ = 0;

    std::uint64_t sectors_read_ = 0, sectors_written_ = 0, failures_ = 0, flushes_ = 0;
    std::uint64_t queued_commands_ = 0;
};

}  // namespace backplane::storage
