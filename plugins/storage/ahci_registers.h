// The registers of an AHCI host bus adapter and their bits, by the names of the specification.
// (Serial ATA AHCI 1.3.1, chapter 3)
#pragma once

#include <cstdint>

namespace backplane::storage::ahci {

// ---- Generic host control

constexpr std::uint64_t CAP = 0x00, GHC = 0x04, IS = 0x08, PI = 0x0c, VS = 0x10;
constexpr std::uint64_t generic_end = 0x2c;  // of those that are not reserved

namespace cap {
constexpr std::uint32_t psc = 1u << 13;       // Partial
constexpr std::uint32_t ssc = 1u << 14;       // Slumber
constexpr std::uint32_t pmd = 1u << 15;       // PIO of several blocks to a command
constexpr std::uint32_t sam = 1u << 18;       // AHCI only
constexpr std::uint32_t iss_gen2 = 2u << 20;  // 3 Gbit/s
constexpr std::uint32_t sclo = 1u << 24;      // command list override
constexpr std::uint32_t salp = 1u << 26;      // aggressive link power management
constexpr std::uint32_t sncq = 1u << 30;      // queued commands
constexpr std::uint32_t s64a = 1u << 31;      // 64-bit addresses
constexpr unsigned ncs_shift = 8;             // command slots - 1
}  // namespace cap

namespace ghc {
constexpr std::uint32_t hr = 1u << 0;   // reset
constexpr std::uint32_t ie = 1u << 1;   // interrupts
constexpr std::uint32_t ae = 1u << 31;  // AHCI
}  // namespace ghc

// ---- Port registers, from 0x100 + 0x80 * port on

constexpr std::uint64_t ports = 0x100, port_size = 0x80;

constexpr std::uint64_t PxCLB = 0x00, PxCLBU = 0x04, PxFB = 0x08, PxFBU = 0x0c, PxIS = 0x10,
                        PxIE = 0x14, PxCMD = 0x18, PxTFD = 0x20, PxSIG = 0x24, PxSSTS = 0x28,
                        PxSCTL = 0x2c, PxSERR = 0x30, PxSACT = 0x34, PxCI = 0x38;

// PxIS and PxIE
namespace port_interrupt {
constexpr std::uint32_t dhrs = 1u << 0;   // Register FIS
constexpr std::uint32_t pss = 1u << 1;    // PIO Setup FIS
constexpr std::uint32_t dss = 1u << 2;    // DMA Setup FIS
constexpr std::uint32_t sdbs = 1u << 3;   // Set Device Bits FIS
constexpr std::uint32_t dps = 1u << 5;    // a region that asks for it is done
constexpr std::uint32_t pcs = 1u << 6;    // PxSERR.DIAG.X
constexpr std::uint32_t prcs = 1u << 22;  // PxSERR.DIAG.N
constexpr std::uint32_t ofs = 1u << 24;   // more data than memory
constexpr std::uint32_t ifs = 1u << 27;   // the link failed, and the command with it
constexpr std::uint32_t tfes = 1u << 30;  // ERR in the status
// What PxIS keeps itself, and what a HBA without mechanical switches and cold presence detection
// can enable.
constexpr std::uint32_t cleared_by_ones = 0x7d8000af;
constexpr std::uint32_t enables = 0x7dc0007f;
}  // namespace port_interrupt

// PxCMD
namespace port_command {
constexpr std::uint32_t st = 1u << 0;      // process the command list
constexpr std::uint32_t sud = 1u << 1;     // spun up
constexpr std::uint32_t pod = 1u << 2;     // powered
constexpr std::uint32_t clo = 1u << 3;     // forget BSY and DRQ
constexpr std::uint32_t fre = 1u << 4;     // receive FISes
constexpr std::uint32_t ccs = 0x1fu << 8;  // the slot in progress
constexpr unsigned ccs_shift = 8;
constexpr std::uint32_t fr = 1u << 14;    // receives
constexpr std::uint32_t cr = 1u << 15;    // processes
constexpr std::uint32_t hpcp = 1u << 18;  // drives may be plugged in while it runs
// ATAPI, DLAE, ALPE and ASP: nothing here depends on them
constexpr std::uint32_t preferences = 0xfu << 24;
constexpr std::uint32_t icc = 0xfu << 28;  // what the link is to do
constexpr unsigned icc_shift = 28;
}  // namespace port_command

// PxSSTS and PxSCTL
namespace link {
constexpr std::uint32_t det = 0xf, spd = 0xf0, ipm = 0xf00;
constexpr unsigned spd_shift = 4, ipm_shift = 8;
constexpr std::uint32_t det_present = 3, det_offline = 4;        // PxSSTS
constexpr std::uint32_t det_reset = 1, det_disable = 4;          // PxSCTL
constexpr std::uint32_t active = 1, partial = 2, slumber = 6;    // PxSSTS.IPM, PxCMD.ICC
constexpr std::uint32_t no_partial = 0x100, no_slumber = 0x200;  // PxSCTL.IPM
constexpr std::uint32_t control_bits = 0x00000fff;
}  // namespace link

// PxSERR
namespace port_error {
constexpr std::uint32_t c = 1u << 9;   // the link is not what it was
constexpr std::uint32_t h = 1u << 22;  // DIAG: the device did not take a FIS
constexpr std::uint32_t n = 1u << 16;  // DIAG: PhyRdy changed
constexpr std::uint32_t x = 1u << 26;  // DIAG: a device was plugged in, or reset
}  // namespace port_error

// ---- In memory (chapter 4)

// Places in the area for received FISes.
constexpr std::uint64_t received_dma_setup = 0x00, received_pio_setup = 0x20,
                        received_register = 0x40, received_set_device_bits = 0x58;

// A command header: one of 32 in the command list.
struct CommandHeader {
    static constexpr std::uint32_t fis_length = 0x1f;  // double words
    static constexpr std::uint32_t clear_busy = 1u << 10;

    std::uint32_t flags;               // upper half: entries of the region table
    std::uint32_t transferred;         // PRDBC
    std::uint32_t table, table_upper;  // CTBA, of 128 bytes

    std::uint32_t reserved[4];

    std::uint64_t table_address() const {
        return (table & ~std::uint32_t{0x7f}) | std::uint64_t{table_upper} << 32;
    }
    std::uint32_t regions() const { return flags >> 16; }
};
static_assert(sizeof(CommandHeader) == 32);

// Parts of a command table.
constexpr std::uint64_t table_packet = 0x40, table_regions = 0x80;

// An entry of the table of physical regions.
struct RegionEntry {
    std::uint32_t address, address_upper;
    std::uint32_t reserved;
    std::uint32_t flags;

    static constexpr std::uint32_t interrupt = 1u << 31;

    std::uint64_t start() const {
        return (address & ~std::uint32_t{1}) | std::uint64_t{address_upper} << 32;
    }
    // One less is written there, and is odd.
    std::uint32_t length() const { return ((flags & 0x3fffff) | 1) + 1; }
};
static_assert(sizeof(RegionEntry) == 16);

}  // namespace backplane::storage::ahci
