// Finds the provider that the machine file names for a port: `ioapic0.22`, `pic0.inputs.3`,
// `console`.
#pragma once

#include "runtime/device_settings.h"
#include "runtime/machine_description.h"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace backplane::runtime {

class ConnectionReader {
public:
    ConnectionReader(std::span<const DeviceSettings> devices, const MachineDocument& document,
                     Diagnostics& diagnostics);

    // Appends the connections that the required port `index` of the device gets.
    void read(const DeviceSettings& device, std::uint32_t index,
              std::vector<LinkDescription>& links);

private:
    // The port being connected.
    struct Request {
        const DeviceSettings& device;
        const backplane_port& port;
        std::uint32_t index;
        std::uint32_t element;
        std::string subject;  // "timer0.irq", "timer0.irq.2"
    };
    struct Provider {
        std::string name;
        std::span<const backplane_port> ports;
        bool is_known = true;  // false: its type is not, so nothing can be said about its ports
    };

    [[nodiscard]] const Provider* find(std::string_view name) const;
    void read_elements(const DeviceSettings& device, std::uint32_t index, const YamlNode& node,
                       std::vector<LinkDescription>& links);
    void read_element(const Request& request, const YamlNode& node,
                      std::vector<LinkDescription>& links);
    void read_list(const Request& request, const YamlNode& node,
                   std::vector<LinkDescription>& links);
    void read_reference(const Request& request, const YamlNode& node,
                        std::vector<LinkDescription>& links);
    void resolve(const Request& request, const std::string& text, const Place& place,
                 std::vector<LinkDescription>& links);
    const backplane_port* choose_port(const Request& request, const Provider& provider,
                                      const Place& place);
    const backplane_port* named_port(const Request& request, const Provider& provider,
                                     std::string_view name, const Place& place);
    std::optional<std::uint32_t> choose_element(const Request& request, const Provider& provider,
                                                const backplane_port& port,
                                                std::optional<std::string_view> text,
                                                const Place& place);
    // False, and reported, when somebody has this exclusive element already.
    bool take(const Request& request, const Provider& provider, const backplane_port& port,
              std::uint32_t element, const Place& place);
    void use_default(const Request& request, std::vector<LinkDescription>& links);
    void report_unconnected(const Request& request);
    void report_no_component(const Request& request, std::string_view name, const Place& place);
    [[nodiscard]] std::string providers_hint(const std::string& interface_id) const;

    struct Taken {
        std::string subject;
        Place place;
    };

    std::map<std::string, Provider, std::less<>> providers_;
    std::map<std::pair<const backplane_port*, std::pair<std::string, std::uint32_t>>, Taken> taken_;
    const MachineDocument& document_;
    Diagnostics& diagnostics_;
};

}  // namespace backplane::runtime
