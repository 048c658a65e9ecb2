#include "cmos_contents.h"

#include <algorithm>

namespace backplane::chipset {

namespace {

constexpr unsigned floppy_types = 0x10, equipment = 0x14, base_memory = 0x15,
                   extended_memory = 0x17, extended_memory_found = 0x30;
constexpr unsigned memory_above_16_mib = 0x34, memory_above_4_gib = 0x5b;
constexpr unsigned boot_third = 0x38, boot_first_two = 0x3d, other_cpus = 0x5f;
// The sum of the bytes from the one to the other, high byte first.
constexpr unsigned checked_begin = 0x10, checked_end = 0x2e, checksum = 0x2e;

namespace equipment_bits {
constexpr std::uint8_t has_floppies = 0x01, coprocessor = 0x02, ps2_mouse = 0x04;
constexpr unsigned floppies_shift = 6;  // one less than there are
}  // namespace equipment_bits

// As much as fits.
void store(std::span<std::uint8_t, 128> cmos, unsigned index, std::uint64_t value, unsigned bytes) {
    const std::uint64_t fitting = std::min(value, (std::uint64_t{1} << (bytes * 8)) - 1);
    for (unsigned byte = 0; byte < bytes; ++byte)
        cmos[index + byte] = static_cast<std::uint8_t>(fitting >> (byte * 8));
}

std::uint8_t equipment_byte(const CmosContents& contents) {
    const auto drives = static_cast<unsigned>(std::ranges::count_if(
        contents.floppies, [](FloppyDrive drive) { return drive != FloppyDrive::None; }));
    unsigned value = equipment_bits::coprocessor | equipment_bits::ps2_mouse;
    if (drives != 0)
        value |= equipment_bits::has_floppies | (drives - 1) << equipment_bits::floppies_shift;
    return static_cast<std::uint8_t>(value);
}

}  // namespace

std::expected<std::array<std::uint8_t, 3>, std::string> parse_boot_order(std::string_view letters) {
    constexpr std::string_view known = "acdn";  // their codes count from 1
    std::array<std::uint8_t, 3> order{};
    if (letters.size() > order.size())
        return std::unexpected{std::string{"names more than three devices"}};
    for (std::size_t at = 0; at < letters.size(); ++at) {
        const std::size_t code = known.find(letters[at]);
        if (code == known.npos || letters.find(letters[at], at + 1) != letters.npos)
            return std::unexpected{std::string{
                "must be made of a (floppy), c (hard disk), d (CD) and n (network), each once"}};
        order[at] = static_cast<std::uint8_t>(code + 1);
    }
    return order;
}

void fill_cmos(std::span<std::uint8_t, 128> cmos, const CmosContents& contents) {
    constexpr std::uint64_t above_16_mib = std::uint64_t{15} << 20;
    const auto& [first, second] = contents.floppies;
    cmos[floppy_types] = static_cast<std::uint8_t>(static_cast<unsigned>(first) << 4 |
                                                   static_cast<unsigned>(second));
    cmos[equipment] = equipment_byte(contents);
    store(cmos, base_memory, 640, 2);
    const std::uint64_t above_1_mib = contents.memory_above_1_mib;
    store(cmos, extended_memory, above_1_mib >> 10, 2);
    store(cmos, extended_memory_found, above_1_mib >> 10, 2);
    store(cmos, memory_above_16_mib,
          above_1_mib > above_16_mib ? (above_1_mib - above_16_mib) >> 16 : 0, 2);
    store(cmos, memory_above_4_gib, contents.memory_above_4_gib >> 16, 3);
    const auto& order = contents.boot_order;
    cmos[boot_first_two] = static_cast<std::uint8_t>(order[0] | order[1] << 4);
    cmos[boot_third] = static_cast<std::uint8_t>(order[2] << 4);
    cmos[other_cpus] = static_cast<std::uint8_t>(contents.cpus - 1);

    unsigned sum = 0;
    for (unsigned index = checked_begin; index < checked_end; ++index)
        sum += cmos[index];
    cmos[checksum] = static_cast<std::uint8_t>(sum >> 8);
    cmos[checksum + 1] = static_cast<std::uint8_t>(sum);
}

}  // namespace backplane::chipset
