// A hard disk: the ATA commands over an image. (ATA/ATAPI-7; TRIM from ACS-2)
//
// A disk whose image has no file is not there: its place on the cable stays empty.
//
// It has 48-bit addresses, READ and WRITE MULTIPLE, DMA, a write cache, TRIM and power management.
// It says that it has no SMART, no security, no host protected area (READ NATIVE MAX is answered,
// SET MAX is not) and no queued commands, and aborts those.
#pragma once

#include "ata_drive.h"
#include "disk_address.h"
#include "identify_data.h"

namespace backplane::storage {

class IdeDisk final : public AtaDrive {
public:
    static void declare(Declaration<IdeDisk>& d);

    Outcome start();
    void resized();

private:
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
        TakeBuffer
    };
    enum class Protocol : std::uint8_t { Pio, Dma };

    // AtaDrive
    void begin_command() override;
    void phase_done() override;
    BlockResult io_done(BlockResult result) override;
    void reset_command(std::uint32_t kind) override;
    std::uint64_t signature() const override { return ata_signature; }
    std::uint8_t idle_status() const override { return ata_status::drdy | ata_status::dsc; }
    bool is_present() const override { return image().info().has_medium(); }

    // ide_disk.cpp
    void run_simple_command();
    void identify();
    void set_features();
    void set_multiple_mode();
    void initialize_device_parameters();
    void seek();
    void report_native_maximum(AddressWidth width);

    // ide_disk_transfer.cpp
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
    std::uint64_t sectors_read_ = 0, sectors_written_ = 0, failures_ = 0, flushes_ = 0;
};

}  // namespace backplane::storage
