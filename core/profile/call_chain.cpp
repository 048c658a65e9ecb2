#include "profile/call_chain.h"

#include <algorithm>
#include <optional>
#include <span>

namespace backplane::profile {
namespace {

constexpr std::size_t deepest = 128;

// A call's instruction is in front of where it returns to.
std::uint64_t instruction_at(std::uint64_t return_address) { return return_address - 1; }

// Calls through a register go by way of these in kernels that were compiled against Spectre, and
// those whose target is patched in (static_call).
bool is_thunk(const Symbol& symbol) {
    return symbol.name.starts_with("__x86_indirect") || symbol.name.starts_with("__SCT__");
}

enum class Fit : std::uint8_t { No, Perhaps, Yes };

class Chain {
public:
    Chain(const Sample& sample, const Symbolizer& symbols)
        : space_{space_of(sample.privilege)}, symbols_{symbols} {}

    // Whether this call may be the one that led to the function with this instruction.
    Fit fit(const Caller& caller, std::uint64_t instruction) const {
        if (caller.target == Caller::by_frame) return Fit::Yes;
        if (caller.target == Caller::indirect) return Fit::Perhaps;
        const Place called = symbols_.find(space_, caller.target);
        const Place inside = symbols_.find(space_, instruction);
        if (called.symbol && is_thunk(*called.symbol)) return Fit::Perhaps;
        if (called.symbol && inside.symbol)
            return called.start == inside.start ? Fit::Yes : Fit::No;
        // Without names: functions are not long.
        constexpr std::uint64_t long_function = 4096;
        return instruction - caller.target < long_function ? Fit::Yes : Fit::No;
    }

    // The next one of these that led to this instruction. Where none is known to, one that may
    // have, but better one that others have led to in turn; a function that ends by jumping to
    // another stands on the stack for that.
    std::optional<std::size_t> next(std::span<const Caller> callers,
                                    std::uint64_t instruction) const {
        std::optional<std::size_t> maybe, jumped;
        for (std::size_t i = 0; i < callers.size(); ++i) {
            const Fit found = fit(callers[i], instruction);
            if (found == Fit::Yes) return i;
            std::optional<std::size_t>& place = found == Fit::Perhaps ? maybe : jumped;
            if (!place && leads_on(callers.subspan(i))) place = i;
        }
        return maybe ? maybe : jumped;
    }

private:
    bool leads_on(std::span<const Caller> callers) const {
        const std::uint64_t instruction = instruction_at(callers.front().address);
        return std::ranges::any_of(callers.subspan(1), [&](const Caller& caller) {
            return fit(caller, instruction) == Fit::Yes;
        });
    }

    Space space_;
    const Symbolizer& symbols_;
};

}  // namespace

std::vector<std::uint64_t> call_chain(const Sample& sample, const Symbolizer& symbols) {
    std::vector<std::uint64_t> addresses{sample.pc};
    const Chain chain{sample, symbols};
    std::span<const Caller> rest{sample.callers};
    std::uint64_t instruction = sample.pc;
    while (addresses.size() < deepest) {
        const auto next = chain.next(rest, instruction);
        if (!next) break;
        addresses.push_back(rest[*next].address);
        instruction = instruction_at(rest[*next].address);
        rest = rest.subspan(*next + 1);
    }
    return addresses;
}

}  // namespace backplane::profile
