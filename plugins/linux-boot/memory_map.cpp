#include "memory_map.h"

#include <backplane/address_space.h>

#include <algorithm>
#include <sstream>

namespace backplane::linux_boot {

namespace {

constexpr std::uint64_t one_mebibyte = 0x100000;
constexpr std::uint64_t page = 4096;

std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
    return (value + alignment - 1) & ~(alignment - 1);
}

}  // namespace

std::string to_text(Range range) {
    std::ostringstream text;
    text << std::hex << "0x" << range.start << "-0x" << range.end - 1;
    return text.str();
}

std::vector<Range> find_ram(const AddressSpace& memory) {
    std::vector<Range> ram;
    const std::uint64_t extent = memory.extent();
    for (std::uint64_t address = 0; address < extent;) {
        const backplane_range range = memory.find(address);
        const std::uint64_t end = range.start + range.length;
        if (range.memory != nullptr && range.readable && range.writable) {
            if (!ram.empty() && ram.back().end == range.start)
                ram.back().end = end;
            else
                ram.push_back({range.start, end});
        }
        if (end <= address) break;
        address = end;
    }
    return ram;
}

bool contains(const std::vector<Range>& ranges, Range range) {
    return std::ranges::any_of(
        ranges, [&](Range r) { return r.start <= range.start && range.end <= r.end; });
}

std::optional<std::uint64_t> highest_place(const std::vector<Range>& ram, std::uint64_t size,
                                           std::uint64_t alignment, std::uint64_t limit,
                                           Range taken) {
    const auto in = [&](Range room) -> std::optional<std::uint64_t> {
        room.start = std::max(room.start, one_mebibyte);
        room.end = std::min(room.end, limit);
        if (room.end <= room.start || room.size() < size) return std::nullopt;
        const std::uint64_t place = (room.end - size) & ~(alignment - 1);
        return place >= room.start ? std::optional{place} : std::nullopt;
    };
    for (auto range = ram.rbegin(); range != ram.rend(); ++range) {
        // Above what is taken, then below it.
        if (const auto place = in({std::max(range->start, taken.end), range->end})) return place;
        if (const auto place = in({range->start, std::min(range->end, taken.start)})) return place;
    }
    return std::nullopt;
}

std::optional<std::uint64_t> lowest_place(const std::vector<Range>& ram, std::uint64_t size,
                                          std::uint64_t alignment, std::uint64_t from) {
    for (const Range range : ram) {
        const std::uint64_t place = align_up(std::max(range.start, from), alignment);
        if (place < range.end && range.end - place >= size) return place;
    }
    return std::nullopt;
}

std::vector<Range> without(std::vector<Range> ram, const std::vector<Range>& taken) {
    for (const Range hole : taken) {
        std::vector<Range> rest;
        for (const Range range : ram) {
            const Range below{range.start, std::min(range.end, hole.start)},
                above{std::max(range.start, hole.end), range.end};
            if (below.start < below.end) rest.push_back(below);
            if (above.start < above.end) rest.push_back(above);
        }
        ram = std::move(rest);
    }
    return ram;
}

std::vector<E820Entry> e820_map(const std::vector<Range>& ram, const std::vector<Range>& tables) {
    std::vector<E820Entry> map;
    const auto add_usable = [&](Range range) {
        if (range.start < range.end) map.push_back({range, MemoryKind::Usable});
    };
    for (const Range range : ram) {
        add_usable({range.start, std::min(range.end, extended_bios_data.start)});
        add_usable({align_up(std::max(range.start, one_mebibyte), page), range.end});
    }
    for (const Range reserved : {extended_bios_data, firmware_tables})
        map.push_back({reserved, MemoryKind::Reserved});
    for (const Range range : tables)
        map.push_back({range, MemoryKind::AcpiNvs});
    std::ranges::sort(map, {}, [](const E820Entry& entry) { return entry.range.start; });
    return map;
}

}  // namespace backplane::linux_boot
