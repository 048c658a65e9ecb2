#include "floppy_format.h"

#include <algorithm>
#include <array>

namespace backplane::storage {

namespace {

constexpr std::uint32_t double_density = 250'000, high_density = 500'000, extra_density = 1'000'000;

constexpr std::array<FloppyFormat, 8> formats{{
    {"160K", 40, 1, 8, true, double_density},
    {"180K", 40, 1, 9, true, double_density},
    {"320K", 40, 2, 8, true, double_density},
    {"360K", 40, 2, 9, true, double_density},
    {"1.2M", 80, 2, 15, true, high_density},
    {"720K", 80, 2, 9, false, double_density},
    {"1.44M", 80, 2, 18, false, high_density},
    {"2.88M", 80, 2, 36, false, extra_density},
}};

constexpr std::array<FloppyMechanism, 5> mechanisms{{
    {300, 42, true, double_density},
    {360, 83, true, high_density},
    {300, 83, false, double_density},
    {300, 83, false, high_density},
    {300, 83, false, extra_density},
}};

constexpr std::array<const char*, 5> names{"360k", "1.2m", "720k", "1.44m", "2.88m"};

bool fits(const FloppyFormat& format, const FloppyMechanism& drive) {
    return format.is_large == drive.is_large && format.bit_rate <= drive.most_bit_rate;
}

}  // namespace

const FloppyMechanism& floppy_mechanism(FloppyCapacity capacity) {
    return mechanisms[static_cast<std::size_t>(capacity)];
}

const char* floppy_capacity_name(FloppyCapacity capacity) {
    return names[static_cast<std::size_t>(capacity)];
}

const FloppyFormat* floppy_format(std::uint64_t bytes) {
    const auto found = std::ranges::find(formats, bytes, &FloppyFormat::bytes);
    return found == formats.end() ? nullptr : &*found;
}

std::string floppy_misfit(FloppyCapacity drive, std::uint64_t bytes) {
    const FloppyMechanism& mechanism = floppy_mechanism(drive);
    const FloppyFormat* format = floppy_format(bytes);
    if (format != nullptr && fits(*format, mechanism)) return {};
    std::string text = "the image has " + std::to_string(bytes) + " bytes";
    if (format != nullptr) text += std::string{", which is a disk of "} + format->name;
    text += std::string{"; a drive of "} + floppy_capacity_name(drive) + " takes";
    const char* separator = " ";
    for (const FloppyFormat& each : formats) {
        if (!fits(each, mechanism)) continue;
        text += separator + std::to_string(each.bytes()) + " (" + each.name + ")";
        separator = ", ";
    }
    return text;
}

}  // namespace backplane::storage
