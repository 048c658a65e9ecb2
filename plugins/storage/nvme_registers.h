// The registers of an NVMe controller and their fields. (NVM Express 1.4, 3.1)
#pragma once

#include <cstdint>

namespace backplane::storage::nvme {

// Offsets.
namespace reg {
inline constexpr unsigned CAP = 0x00, VS = 0x08, INTMS = 0x0c, INTMC = 0x10, CC = 0x14, CSTS = 0x1c,
                          NSSR = 0x20, AQA = 0x24, ASQ = 0x28, ACQ = 0x30, CMBLOC = 0x38,
                          CMBSZ = 0x3c, doorbells = 0x1000;
}  // namespace reg

inline constexpr std::uint32_t version = 0x0001'0400;

// What this controller says in CAP.
inline constexpr std::uint32_t largest_queue = 2048;  // entries
inline constexpr unsigned smallest_page_shift = 12, largest_page_shift = 16;

constexpr std::uint64_t capabilities() {
    constexpr std::uint64_t contiguous_queues = 1u << 16;  // CQR
    constexpr std::uint64_t weighted = 1u << 17;           // AMS
    constexpr std::uint64_t timeout = 60u << 24;           // TO: half seconds
    constexpr std::uint64_t nvm_command_set = 1ull << 37;  // CSS
    constexpr std::uint64_t smallest_page = (smallest_page_shift - 12ull) << 48;  // MPSMIN
    constexpr std::uint64_t largest_page = (largest_page_shift - 12ull) << 52;    // MPSMAX
    return (largest_queue - 1) | contiguous_queues | weighted | timeout | nvm_command_set |
           smallest_page | largest_page;
}

// Controller configuration.
struct CC {
    static constexpr std::uint32_t EN = 1;
    static constexpr std::uint32_t writable = 0x00ff'fff1;
    static constexpr unsigned weighted_round_robin = 1;  // AMS; 0 is round robin

    static unsigned css(std::uint32_t cc) { return cc >> 4 & 7; }
    static unsigned page_shift(std::uint32_t cc) { return 12 + (cc >> 7 & 15); }
    static unsigned ams(std::uint32_t cc) { return cc >> 11 & 7; }
    static unsigned shn(std::uint32_t cc) { return cc >> 14 & 3; }
    static unsigned iosqes(std::uint32_t cc) { return cc >> 16 & 15; }
    static unsigned iocqes(std::uint32_t cc) { return cc >> 20 & 15; }
};

// Controller status.
struct CSTS {
    static constexpr std::uint32_t RDY = 1, CFS = 2;
    static constexpr std::uint32_t SHST = 0x0c, shutdown_occurs = 0x04, shutdown_complete = 0x08;
};

// Admin queue attributes: sizes less one.
struct AQA {
    static constexpr std::uint32_t writable = 0x0fff'0fff;

    static std::uint32_t submission_entries(std::uint32_t aqa) { return (aqa & 0xfff) + 1; }
    static std::uint32_t completion_entries(std::uint32_t aqa) { return (aqa >> 16 & 0xfff) + 1; }
};

}  // namespace backplane::storage::nvme
