#include "profile/symbolizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace backplane::profile {
namespace {

// CONFIG_PHYSICAL_ALIGN, and RANDOMIZE_BASE's range, of Linux on x86-64.
constexpr std::uint64_t kernel_alignment = 2 << 20, kernel_range = 1 << 30;

std::vector<std::uint64_t> call_targets(const Recording& recording) {
    std::vector<std::uint64_t> targets;
    for (const Sample& sample : recording.samples) {
        if (sample.privilege != 0) continue;
        for (const Caller& caller : sample.callers)
            if (caller.target > Caller::by_frame) targets.push_back(caller.target);
    }
    std::ranges::sort(targets);
    targets.erase(std::ranges::unique(targets).begin(), targets.end());
    return targets;
}

}  // namespace

void Symbolizer::add(Space space, SymbolTable table, std::uint64_t offset) {
    (space == Space::Kernel ? kernel_ : user_).push_back({std::move(table), offset});
}

std::expected<void, std::string> Symbolizer::add_file(Space space, const std::string& argument) {
    std::string file = argument;
    std::uint64_t offset = 0;
    if (const auto at = argument.rfind('@'); at != std::string::npos) {
        std::string_view number = std::string_view{argument}.substr(at + 1);
        if (number.starts_with("0x")) number.remove_prefix(2);
        const char* const start = number.data();
        const char* const end = start + number.size();
        const auto [rest, error] = std::from_chars(start, end, offset, 16);
        if (error == std::errc{} && rest == end && !number.empty())
            file.resize(at);
        else
            offset = 0;
    }
    auto table = read_symbols(file);
    if (!table) return std::unexpected{table.error()};
    if (space == Space::Kernel) table->set_module("kernel");
    add(space, std::move(*table), offset);
    return {};
}

void Symbolizer::find_kernel_offset(const Recording& recording) {
    kernel_offset_ = 0;
    if (kernel_.empty()) return;
    const std::vector<std::uint64_t> targets = call_targets(recording);
    const auto hits = [&](std::uint64_t offset) {
        return std::ranges::count_if(targets, [&](std::uint64_t target) {
            return kernel_.front().table.has_start(target - offset);
        });
    };
    // Stacks hold a few addresses that only look like those of calls.
    constexpr std::size_t fewest = 8;
    const auto plain = hits(0);
    if (targets.size() < fewest || 2 * static_cast<std::size_t>(plain) >= targets.size()) return;
    auto best = plain;
    for (std::uint64_t step = kernel_alignment; step < kernel_range; step += kernel_alignment)
        for (const std::uint64_t offset : {step, 0 - step})
            if (const auto count = hits(offset); count > best) {
                best = count;
                kernel_offset_ = offset;
            }
    if (4 * static_cast<std::size_t>(best) < targets.size()) kernel_offset_ = 0;
}

Place Symbolizer::find(Space space, std::uint64_t address) const {
    for (const Module& module : space == Space::Kernel ? kernel_ : user_) {
        const std::uint64_t offset = module.offset + (space == Space::Kernel ? kernel_offset_ : 0);
        if (const Symbol* symbol = module.table.find(address - offset))
            return {&module.table, symbol, symbol->address + offset};
    }
    return {};
}

}  // namespace backplane::profile
