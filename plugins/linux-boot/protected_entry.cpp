#include "protected_entry.h"

#include "kernel_entry.h"

#include <algorithm>

namespace backplane::linux_boot {

namespace {

constexpr std::uint64_t four_gibibytes = std::uint64_t{1} << 32;

std::string to_text(const std::vector<Range>& ranges) {
    std::string text;
    for (const Range range : ranges)
        text += (text.empty() ? "" : ", ") + linux_boot::to_text(range);
    return text.empty() ? "nowhere" : text;
}

}  // namespace

std::string no_room_for(const std::string& what, const BootRequest& request) {
    return "does not fit: there is no room for " + what + " below 4 GiB; RAM is at " +
           to_text(request.ram);
}

std::expected<void, std::string> check_room(Range range, const BootRequest& request) {
    if (range.start < range.end && range.end <= four_gibibytes && contains(request.ram, range))
        return {};
    return std::unexpected("does not fit: it needs RAM at " + linux_boot::to_text(range) +
                           "; RAM is at " + to_text(request.ram));
}

std::expected<void, std::string> load_segments(BootPlan& plan, const ElfImage& image,
                                               std::uint64_t displacement,
                                               const BootRequest& request) {
    for (const ElfImage::Segment& segment : image.segments()) {
        const std::uint64_t address = segment.physical + displacement;
        if (auto room = check_room({address, address + segment.memory_size}, request); !room)
            return room;
        plan.pieces.push_back(
            {address, segment.memory_size, {segment.content.begin(), segment.content.end()}});
    }
    return {};
}

std::vector<RegisterValue> protected_registers(std::uint64_t entry, std::uint64_t descriptors,
                                               const std::vector<RegisterValue>& given) {
    auto registers = registers_at_entry(
        {.mode = EntryMode::Bits32, .entry = entry, .descriptors = descriptors});
    for (const RegisterValue& each : given) {
        const auto found = std::ranges::find(registers, each.name, &RegisterValue::name);
        if (found != registers.end()) found->value = each.value;
    }
    return registers;
}

}  // namespace backplane::linux_boot
