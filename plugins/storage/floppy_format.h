// The formats of floppy disks that a PC reads, and the drives they fit.
#pragma once

#include <cstdint>
#include <string>

namespace backplane::storage {

// In the order of the codes in CMOS RAM, less one.
enum class FloppyCapacity : std::uint8_t { Kib360, Mib1_2, Kib720, Mib1_44, Mib2_88 };

// Sectors of 512 bytes in MFM, numbered from 1.
struct FloppyFormat {
    std::uint64_t bytes() const { return std::uint64_t{512} * cylinders * heads * sectors; }

    const char* name;
    std::uint8_t cylinders, heads, sectors;  // sectors of a track
    bool is_large;                           // a disk of 5.25 inches, else of 3.5
    std::uint32_t bit_rate;                  // in the drive of its own capacity
};

// What a drive does with a disk.
struct FloppyMechanism {
    std::uint32_t revolutions_per_minute;
    std::uint8_t cylinders;  // as far as the head goes, with some to spare
    bool is_large;
    std::uint32_t most_bit_rate;  // of disks it can read and write, in their own drive
};

const FloppyMechanism& floppy_mechanism(FloppyCapacity capacity);
const char* floppy_capacity_name(FloppyCapacity capacity);

// Null: there is no such format.
const FloppyFormat* floppy_format(std::uint64_t bytes);
// Why a drive cannot use a disk of so many bytes; empty: it can.
std::string floppy_misfit(FloppyCapacity drive, std::uint64_t bytes);

}  // namespace backplane::storage
