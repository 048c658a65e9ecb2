// How a command ended: the status field of a completion queue entry without its phase tag. (NVM
// Express 1.4, 4.6.1)
#pragma once

#include <cstdint>

namespace backplane::storage::nvme {

// Set where the same command, submitted again, would fail again.
inline constexpr std::uint16_t do_not_retry = 0x4000;
// There is an entry in the error log.
inline constexpr std::uint16_t more = 0x2000;

enum class Status : std::uint16_t {
    Success = 0,

    // Generic (figure 128 and 129)
    InvalidOpcode = do_not_retry | 0x01,
    InvalidField = do_not_retry | 0x02,
    AbortRequested = 0x07,
    AbortedBySqDeletion = 0x08,
    InvalidNamespace = do_not_retry | 0x0b,
    CommandSequenceError = do_not_retry | 0x0c,
    InvalidSglSegmentDescriptor = do_not_retry | 0x0d,
    InvalidNumberOfSglDescriptors = do_not_retry | 0x0e,
    DataSglLengthInvalid = do_not_retry | 0x0f,
    SglDescriptorTypeInvalid = do_not_retry | 0x11,
    PrpOffsetInvalid = do_not_retry | 0x13,
    NamespaceIsWriteProtected = do_not_retry | 0x20,
    LbaOutOfRange = do_not_retry | 0x80,
    CapacityExceeded = do_not_retry | 0x81,

    // Command specific
    CompletionQueueInvalid = do_not_retry | 0x100,
    InvalidQueueIdentifier = do_not_retry | 0x101,
    InvalidQueueSize = do_not_retry | 0x102,
    AsynchronousEventRequestLimitExceeded = do_not_retry | 0x105,
    InvalidInterruptVector = do_not_retry | 0x108,
    InvalidLogPage = do_not_retry | 0x109,
    InvalidQueueDeletion = do_not_retry | 0x10c,
    FeatureIdentifierNotSaveable = do_not_retry | 0x10d,
    FeatureNotNamespaceSpecific = do_not_retry | 0x10f,

    // Media: another try may go well
    WriteFault = 0x280,
    UnrecoveredReadError = 0x281,
    CompareFailure = do_not_retry | 0x285,
};

constexpr std::uint16_t bits(Status status) { return static_cast<std::uint16_t>(status); }
constexpr bool is_media_error(Status status) { return (bits(status) & 0x700) == 0x200; }

}  // namespace backplane::storage::nvme
