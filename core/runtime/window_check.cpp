#include "runtime/window_check.h"

#include "runtime/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>
#include <vector>

namespace backplane::runtime {

namespace {

std::uint64_t size_of_space(const std::string& space) {
    return space == io_space ? io_space_size : memory_space_size;
}

// "memory@0xfed00000 to 0xfed003ff"
std::string range_text(const PlacedWindow& window) {
    const std::uint64_t base = window.mapping->base;
    return fmt::format("{}@{:#x} to {:#x}", window.mapping->space, base, base + window.size() - 1);
}

bool is_inside_window(const PlacedWindow& window, Diagnostics& diagnostics) {
    const WindowMapping& mapping = *window.mapping;
    const std::uint64_t whole = window.window_size;
    if (mapping.offset < whole && mapping.size <= whole - mapping.offset) return true;
    const std::string part = mapping.size == 0 ? "" : bytes_text(mapping.size) + " from ";
    diagnostics.error(
        mapping.place,
        fmt::format("{}: {}offset {:#x} {} beyond the window", window.name, part, mapping.offset,
                    part.empty() ? "lies" : "reach"),
        fmt::format("the window has {}: offsets 0 to {:#x}", bytes_text(whole), whole - 1));
    return false;
}

bool is_inside_space(const PlacedWindow& window, Diagnostics& diagnostics) {
    const WindowMapping& mapping = *window.mapping;
    const std::uint64_t end = size_of_space(mapping.space);
    if (mapping.base < end && window.size() <= end - mapping.base) return true;
    diagnostics.error(mapping.place,
                      fmt::format("{}: {} at {:#x} reach beyond {}", window.name,
                                  bytes_text(window.size()), mapping.base, mapping.space),
                      fmt::format("{} ends at {:#x}", mapping.space, end - 1));
    return false;
}

bool is_before(const PlacedWindow* a, const PlacedWindow* b) {
    const WindowMapping &x = *a->mapping, &y = *b->mapping;
    return std::tie(x.space, x.priority, x.base) < std::tie(y.space, y.priority, y.base);
}

void report_overlap(const PlacedWindow& first, const PlacedWindow& second,
                    Diagnostics& diagnostics) {
    // The later one of a file is to blame.
    const auto key = [](const PlacedWindow& window) {
        const Place& place = window.mapping->place;
        return std::tuple{place.line, place.column};
    };
    const bool same_file = first.mapping->place.source == second.mapping->place.source;
    const bool swap = same_file && key(second) < key(first);
    const PlacedWindow& blamed = swap ? first : second;
    const PlacedWindow& other = swap ? second : first;
    diagnostics
        .error(blamed.mapping->place,
               fmt::format("{} overlaps {}: {} and {}", blamed.name, other.name, range_text(blamed),
                           range_text(other)),
               "expected a free range, or another priority")
        .notes.push_back({other.mapping->place, fmt::format("{} is mapped here", other.name)});
}

}  // namespace

void check_windows(std::span<const PlacedWindow> windows, Diagnostics& diagnostics) {
    std::vector<const PlacedWindow*> placed;
    for (const PlacedWindow& window : windows) {
        if (window.window_size == 0) continue;
        if (is_inside_window(window, diagnostics) && is_inside_space(window, diagnostics))
            placed.push_back(&window);
    }
    std::ranges::sort(placed, is_before);
    // Sorted by base, so the one that reaches furthest is the only earlier one worth comparing
    // with.
    const PlacedWindow* furthest = nullptr;
    for (const PlacedWindow* window : placed) {
        const WindowMapping& mapping = *window->mapping;
        const bool comparable = furthest != nullptr && furthest->mapping->space == mapping.space &&
                                furthest->mapping->priority == mapping.priority;
        if (!comparable) {
            furthest = window;
            continue;
        }
        if (mapping.base < furthest->mapping->base + furthest->size())
            report_overlap(*furthest, *window, diagnostics);
        if (mapping.base + window->size() > furthest->mapping->base + furthest->size())
            furthest = window;
    }
}

}  // namespace backplane::runtime
