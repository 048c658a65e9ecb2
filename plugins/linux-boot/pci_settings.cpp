#include "pci_settings.h"

#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>

namespace backplane::linux_boot {

namespace {

constexpr std::uint64_t configuration_address = 0xcf8, configuration_data = 0xcfc;
constexpr std::uint32_t enable_configuration = 0x80000000;

// A hexadecimal number up to `most`, and `end` behind it; taken away from `text`.
std::optional<std::uint32_t> take(std::string_view& text, std::uint32_t most,
                                  std::string_view end) {
    std::uint32_t value = 0;
    const char* last = text.data() + text.size();
    const auto [stop, error] = std::from_chars(
        text.data(),  // NOLINT(bugprone-suspicious-stringview-data-usage): `last` is its end
        last, value, 16);
    if (error != std::errc{} || value > most) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
    if (!text.starts_with(end)) return std::nullopt;
    text.remove_prefix(end.size());
    return value;
}

std::optional<PciSetting> parse(std::string_view text) {
    const auto device = take(text, 0x1f, "."), function = take(text, 7, "/"),
               offset = take(text, 0xff, ".");
    if (!device || !function || !offset || text.size() < 3 || text[1] != '=') return std::nullopt;
    const unsigned size = text[0] == 'b' ? 1 : text[0] == 'w' ? 2 : text[0] == 'l' ? 4 : 0;
    if (size == 0 || *offset % size != 0) return std::nullopt;
    text.remove_prefix(2);
    const auto value = take(text, static_cast<std::uint32_t>(~std::uint64_t{0} >> (64 - 8 * size)),
                            "");
    if (!value || !text.empty()) return std::nullopt;
    return PciSetting{static_cast<std::uint8_t>(*device), static_cast<std::uint8_t>(*function),
                      static_cast<std::uint8_t>(*offset), static_cast<std::uint8_t>(size), *value};
}

}  // namespace

std::expected<std::vector<PciSetting>, std::string> parse_pci_settings(const std::string& text) {
    std::istringstream words{text};
    std::vector<PciSetting> settings;
    for (std::string word; words >> word;) {
        const auto setting = parse(word);
        if (!setting)
            return std::unexpected("\"pci-settings\" has \"" + word +
                                   "\"; one looks like 01.3/40.l=601: device, function, offset, b, "
                                   "w or l for its size, and value, all in hexadecimal");
        settings.push_back(*setting);
    }
    return settings;
}

void write_pci_settings(const std::vector<PciSetting>& settings, const AddressSpace& space) {
    if (settings.empty()) return;
    const auto& io = space.connection();
    for (const PciSetting& setting : settings) {
        const std::uint64_t address = enable_configuration | setting.device << 11 |
                                      setting.function << 8 | (setting.offset & 0xfc);
        io.call<&backplane_address_space::write>(configuration_address, 4u, address);
        io.call<&backplane_address_space::write>(configuration_data + (setting.offset & 3),
                                                 std::uint32_t{setting.size},
                                                 std::uint64_t{setting.value});
    }
    io.call<&backplane_address_space::write>(configuration_address, 4u, std::uint64_t{0});
}

}  // namespace backplane::linux_boot
