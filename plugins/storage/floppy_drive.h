// A floppy disk drive with the image of a disk in it. (IBM Personal System/2 Hardware Interface
// Technical Reference, "Diskette Drives"; ECMA-125 for the tracks of a 1.44 MB disk)
//
// The image says which sectors there are, and has room for no others: a track can be formatted as
// it already is, with its sectors in any order, but not otherwise. Deleted data marks are kept as
// long as the disk is in.
#pragma once

#include "floppy_format.h"

#include <backplane/block.h>
#include <backplane/floppy_drive.h>
#include <backplane/sdk.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace backplane::storage {

class FloppyDrive final : public Device {
public:
    static void declare(Declaration<FloppyDrive>& d);

    Outcome start();
    void reset(ResetKind kind);
    void restored() { cancel(); }
    void stop() { cancel(); }

    // backplane.block/1, as its listener
    void resized() { medium_changed(); }
    void medium_changed();

    // backplane.floppy-drive/1
    void attach(const backplane_floppy_host* host);
    void state(backplane_floppy_state* state);
    void step(std::int32_t inwards);
    void track(std::uint32_t head, backplane_floppy_track* track);
    void sector(std::uint32_t head, std::uint32_t index, backplane_floppy_sector* sector);
    std::int32_t read(std::uint32_t head, std::uint32_t index, std::uint8_t* data);
    std::int32_t write(std::uint32_t head, std::uint32_t index, const std::uint8_t* data,
                       std::int32_t deleted);
    std::int32_t format(std::uint32_t head, const backplane_floppy_track* track,
                        const backplane_floppy_sector* sectors, std::uint8_t filler);
    std::int32_t flush();
    void cancel() { transfer_.cancel(image_); }

private:
    static constexpr std::uint32_t sector_size = 512;
    static constexpr std::size_t most_sectors_of_track = 36, most_sectors = 80 * 2 * 36;

    bool has_disk() const { return image_.info().has_medium(); }
    void look_at_disk();
    unsigned cylinder_of_disk() const;
    std::uint32_t bit_rate() const;
    bool is_formatted(std::uint32_t head) const;
    std::uint64_t place(std::uint32_t head, std::uint32_t index) const;
    void mark(std::uint64_t sector, bool deleted);
    std::int32_t start_transfer(BlockOperation operation, std::uint64_t first_sector,
                                std::uint64_t bytes, std::uint8_t* data);
    void arrived(BlockResult result);

    FloppyCapacity capacity_ = FloppyCapacity::Mib1_44;
    BlockDevice image_;
    backplane_floppy_host host_{};
    BlockTransfer<&FloppyDrive::arrived> transfer_;
    const FloppyFormat* format_ = nullptr;  // of the disk; null: nothing is found on it
    std::array<std::uint8_t, most_sectors_of_track * sector_size> filling_{};

    std::uint8_t cylinder_ = 0;  // where the head is
    bool disk_change_ = true;
    std::array<std::uint8_t, most_sectors / 8> deleted_{};  // a bit for each sector
    std::uint64_t steps_ = 0, sectors_read_ = 0, sectors_written_ = 0, failures_ = 0;
};

}  // namespace backplane::storage
