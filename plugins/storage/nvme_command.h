// The entries of submission and completion queues, and what commands there are. (NVM Express 1.4,
// 4.2, 4.6, 5 and 6)
#pragma once

#include "nvme_status.h"

#include <array>
#include <cstdint>

namespace backplane::storage::nvme {

inline constexpr std::uint32_t all_namespaces = 0xffff'ffff;

enum class AdminOpcode : std::uint8_t {
    DeleteSubmissionQueue = 0x00,
    CreateSubmissionQueue = 0x01,
    GetLogPage = 0x02,
    DeleteCompletionQueue = 0x04,
    CreateCompletionQueue = 0x05,
    Identify = 0x06,
    Abort = 0x08,
    SetFeatures = 0x09,
    GetFeatures = 0x0a,
    AsynchronousEventRequest = 0x0c,
    DoorbellBufferConfig = 0x7c
};

enum class IoOpcode : std::uint8_t {
    Flush = 0x00,
    Write = 0x01,
    Read = 0x02,
    Compare = 0x05,
    WriteZeroes = 0x08,
    DatasetManagement = 0x09,
    Verify = 0x0c
};

// A submission queue entry.
struct Command {
    static constexpr std::uint64_t size = 64;

    std::array<std::uint32_t, 16> dwords{};

    std::uint8_t opcode() const { return static_cast<std::uint8_t>(dwords[0]); }
    unsigned fuse() const { return dwords[0] >> 8 & 3; }
    // How data is pointed at: 0 for PRPs, 1 and 2 for SGLs.
    unsigned psdt() const { return dwords[0] >> 14 & 3; }
    std::uint16_t id() const { return static_cast<std::uint16_t>(dwords[0] >> 16); }
    std::uint32_t namespace_id() const { return dwords[1]; }
    std::uint64_t prp1() const { return pair(6); }
    std::uint64_t prp2() const { return pair(8); }
    std::uint32_t cdw10() const { return dwords[10]; }
    std::uint32_t cdw11() const { return dwords[11]; }
    std::uint32_t cdw12() const { return dwords[12]; }

    // Of commands that read and write.
    std::uint64_t slba() const { return pair(10); }
    std::uint64_t blocks() const { return (dwords[12] & 0xffff) + 1; }
    bool force_unit_access() const { return (dwords[12] & 1u << 30) != 0; }
    bool deallocate() const { return (dwords[12] & 1u << 25) != 0; }

private:
    std::uint64_t pair(std::size_t first) const {
        return dwords[first] | std::uint64_t{dwords[first + 1]} << 32;
    }
};

// A completion queue entry.
struct Completion {
    static constexpr std::uint64_t size = 16;

    std::uint32_t result;
    std::uint32_t reserved;
    std::uint16_t submission_head, submission_queue;
    std::uint16_t command_id;
    std::uint16_t status_and_phase;
};
static_assert(sizeof(Completion) == Completion::size);

}  // namespace backplane::storage::nvme
