#include "port_settings.h"

#include <charconv>
#include <optional>
#include <sstream>
#include <string_view>

namespace backplane::linux_boot {

namespace {

std::optional<PortSetting> parse(const std::string& text) {
    PortSetting setting;
    const char* const end = text.data() + text.size();
    const auto port = std::from_chars(text.data(), end, setting.port, 16);
    if (port.ec != std::errc{} || port.ptr == end || *port.ptr != '=') return std::nullopt;
    const auto value = std::from_chars(port.ptr + 1, end, setting.value, 16);
    if (value.ec != std::errc{} || value.ptr != end) return std::nullopt;
    return setting;
}

}  // namespace

std::expected<std::vector<PortSetting>, std::string> parse_port_settings(const std::string& text) {
    std::istringstream words{text};
    std::vector<PortSetting> settings;
    for (std::string word; words >> word;) {
        const auto setting = parse(word);
        if (!setting)
            return std::unexpected("\"port-settings\" has \"" + word +
                                   "\"; one looks like d6=c0: port and byte, both in hexadecimal");
        settings.push_back(*setting);
    }
    return settings;
}

void write_port_settings(const std::vector<PortSetting>& settings, const AddressSpace& io) {
    for (const PortSetting& setting : settings)
        io.connection().call<&backplane_address_space::write>(std::uint64_t{setting.port}, 1u,
                                                              std::uint64_t{setting.value});
}

}  // namespace backplane::linux_boot
