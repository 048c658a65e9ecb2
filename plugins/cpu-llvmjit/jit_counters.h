// What the compilers count: plain numbers of the processor's thread, copied to shared ones whenever
// something was compiled or dropped. What happens while code is executed is in interp/counters.h.
#pragma once

#include "interp/counters.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace backplane::jit {

enum class JitCounter : std::uint8_t {
    Tier1Nanoseconds,
    Tier1Blocks,
    Tier1Instructions,  // of the guest, in compiled blocks; of these:
    Tier1Untranslated,  // left to the interpreter
    Tier1GuestBytes,
    Tier1CodeBytes,  // that are executed often
    Tier1ColdCodeBytes,
    Tier2Nanoseconds,
    Tier2InlineNanoseconds,  // of that, by what it was for
    Tier2SroaNanoseconds,
    Tier2CseNanoseconds,
    Tier2ConstFoldNanoseconds,
    Tier2ControlFlowNanoseconds,
    Tier2LicmNanoseconds,
    Tier2DceNanoseconds,
    Tier2ExitSinkingNanoseconds,
    Tier2RegallocNanoseconds,
    Tier2CodegenNanoseconds,
    Tier2Blocks,
    Tier2Kept,           // regions that were measured and are faster than tier 1
    Tier2TakenOut,       // and that are not
    Deoptimizations,     // ways out of tier 2 in front of an instruction
    GuardFailures,       // of these: for an access or an operand, and not for what is not covered
    CacheUsed,           // bytes, now
    CacheBlocks,         // with code there, now
    CacheEvictions,      // of compiled blocks, for room
    CacheInvalidations,  // as their code, or what is mapped, changed
    CacheRemakes,        // of compiled blocks, as an access was rarely where the one before was
    CacheStaleInstalls,  // the guest's code had changed by the time its compiled code was there
    Count,
};

class JitCounters {
public:
    void count(JitCounter counter, std::uint64_t times = 1) {
        values_[static_cast<std::size_t>(counter)] += times;
    }
    void set(JitCounter counter, std::uint64_t value) {
        values_[static_cast<std::size_t>(counter)] = value;
    }
    void publish() { published_.publish(values_); }

    // [any] As they were published.
    std::uint64_t operator[](JitCounter counter) const { return published_[counter]; }

private:
    using Published = interp::PublishedCounters<JitCounter>;

    std::array<std::uint64_t, Published::size> values_{};
    Published published_;
};

}  // namespace backplane::jit
