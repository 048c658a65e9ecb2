#include "runtime/connection_setting.h"

#include "runtime/nearest_name.h"
#include "runtime/printable_text.h"
#include "runtime/units.h"

#include <backplane/abi/address_space.h>
#include <backplane/abi/line.h>
#include <backplane/abi/pci.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace backplane::runtime {

namespace {

// What `memory` and `io` provide, in the form in which device types declare it.
constexpr backplane_port space_port{.struct_size = sizeof(backplane_port),
                                    .role = BACKPLANE_PROVIDES,
                                    .flags = 0,
                                    .count = 1,
                                    .name = "space",
                                    .interface_id = BACKPLANE_ADDRESS_SPACE,
                                    .doc = "Reads and writes what is mapped",
                                    .connect_to = nullptr,
                                    .size = 0};

bool provides(const backplane_port& port, std::string_view interface_id) {
    return port.role == BACKPLANE_PROVIDES && interface_id == port.interface_id;
}

// Any output may drive several inputs.
bool takes_several(const backplane_port& port) {
    return (port.flags & BACKPLANE_MULTIPLE) != 0 ||
           std::string_view{port.interface_id} == BACKPLANE_LINE;
}

bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::uint32_t> element_of(std::string_view text, std::uint32_t count) {
    std::uint32_t element = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), element);
    if (error != std::errc{} || end != text.data() + text.size() || element >= count)
        return std::nullopt;
    return element;
}

std::vector<std::string_view> split(std::string_view text) {
    std::vector<std::string_view> parts;
    for (;;) {
        const auto dot = text.find('.');
        parts.push_back(text.substr(0, dot));
        if (dot == text.npos) return parts;
        text.remove_prefix(dot + 1);
    }
}

// One element of a port: "input" for a port called inputs.
std::string_view singular(const backplane_port& port) {
    std::string_view name = port.name;
    if (port.count > 1 && name.ends_with('s')) name.remove_suffix(1);
    return name;
}

bool is_pci_bus(const backplane_port& port) {
    return std::string_view{port.interface_id} == BACKPLANE_PCI_SLOT &&
           port.count == BACKPLANE_PCI_SLOTS;
}

// "1f.2", or "3" for function 0 of device 3; hexadecimal, as lspci writes it.
std::optional<std::uint32_t> pci_slot_of(std::string_view text) {
    const auto dot = text.find('.');
    const std::string_view device = text.substr(0, dot);
    const std::string_view function = dot == text.npos ? "0" : text.substr(dot + 1);
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(device.data(), device.data() + device.size(), number,
                                              16);
    if (error != std::errc{} || end != device.data() + device.size() || number > 0x1f)
        return std::nullopt;
    const auto element = element_of(function, 8);
    if (!element || function.size() != 1) return std::nullopt;
    return number * 8 + *element;
}

// How a machine file names this port of this component, with all its elements: "pic0.0 to pic0.7",
// "cpu0.nmi".
std::string reference_text(const std::string& component, std::span<const backplane_port> ports,
                           const backplane_port& port) {
    const auto same = std::ranges::count_if(
        ports, [&](const backplane_port& other) { return provides(other, port.interface_id); });
    std::string prefix = same == 1 ? component : component + "." + port.name;
    if (port.count <= 1) return prefix;
    if (is_pci_bus(port)) return fmt::format("{0}@00.0 to {0}@1f.7", prefix);
    return fmt::format("{0}.0 to {0}.{1}", prefix, port.count - 1);
}

}  // namespace

ConnectionReader::ConnectionReader(std::span<const DeviceSettings> devices,
                                   const MachineDocument& document, Diagnostics& diagnostics)
    : document_{document}, diagnostics_{diagnostics} {
    for (const char* space : {memory_space, io_space})
        providers_[space] = {space, std::span{&space_port, 1}, true};
    for (const DeviceSettings& device : devices) {
        Provider provider{device.name, {}, device.type != nullptr};
        if (device.type != nullptr) provider.ports = {device.type->ports, device.type->port_count};
        providers_[device.name] = provider;
    }
}

const ConnectionReader::Provider* ConnectionReader::find(std::string_view name) const {
    const auto found = providers_.find(name);
    return found == providers_.end() ? nullptr : &found->second;
}

void ConnectionReader::read(const DeviceSettings& device, std::uint32_t index,
                            std::vector<LinkDescription>& links) {
    const backplane_port& port = device.type->ports[index];
    const YamlEntry* entry = device.ports[index];
    if (entry != nullptr && port.count > 1)
        return read_elements(device, index, *entry->value, links);
    for (std::uint32_t element = 0; element < std::max(port.count, 1u); ++element) {
        const Request request{device, port, index, element, device.subject(port.name)};
        if (entry != nullptr)
            read_element(request, *entry->value, links);
        else
            use_default(request, links);
        if (entry == nullptr && port.connect_to == nullptr)
            break;  // said once, not for each element
    }
}

void ConnectionReader::read_elements(const DeviceSettings& device, std::uint32_t index,
                                     const YamlNode& node, std::vector<LinkDescription>& links) {
    const backplane_port& port = device.type->ports[index];
    const std::string subject = device.subject(port.name);
    const bool is_optional = (port.flags & BACKPLANE_OPTIONAL) != 0;
    if (node.is_written_null()) {
        if (!is_optional) report_unconnected({device, port, index, 0, subject});
        return;
    }
    if (!node.is_map()) {
        diagnostics_.error(node.place,
                           fmt::format("{} has {} elements, and this is {}", subject, port.count,
                                       node.kind_text()),
                           "expected a map from element to connection: {0: …, 1: …}");
        return;
    }
    std::vector<bool> is_said(port.count, false);
    for (const YamlEntry& entry : node.map.entries) {
        const auto element = element_of(entry.key, port.count);
        if (!element || std::to_string(*element) != entry.key) {
            diagnostics_.error(entry.key_place,
                               fmt::format("{} has no element {}", subject, in_quotes(entry.key)),
                               fmt::format("expected 0 to {}", port.count - 1));
            continue;
        }
        is_said[*element] = true;
        read_element({device, port, index, *element, fmt::format("{}.{}", subject, *element)},
                     *entry.value, links);
    }
    for (std::uint32_t element = 0; element < port.count; ++element)
        if (!is_said[element])
            use_default({device, port, index, element, fmt::format("{}.{}", subject, element)},
                        links);
}

void ConnectionReader::read_element(const Request& request, const YamlNode& node,
                                    std::vector<LinkDescription>& links) {
    const bool is_empty = node.is_written_null() || (node.is_list() && node.items.empty());
    if (is_empty) {
        if ((request.port.flags & BACKPLANE_OPTIONAL) == 0)
            diagnostics_.error(node.place, fmt::format("{} must be connected", request.subject),
                               providers_hint(request.port.interface_id));
        return;
    }
    if (node.is_list()) return read_list(request, node, links);
    read_reference(request, node, links);
}

void ConnectionReader::read_list(const Request& request, const YamlNode& node,
                                 std::vector<LinkDescription>& links) {
    if (!takes_several(request.port)) {
        diagnostics_.error(node.items.size() > 1 ? node.items[1]->place : node.place,
                           fmt::format("{} takes one connection, and this is a list of {}",
                                       request.subject, node.items.size()));
        return;
    }
    const std::size_t first = links.size();
    for (const YamlPointer& item : node.items) {
        const std::size_t before = links.size();
        read_reference(request, *item, links);
        if (links.size() == before) continue;
        const auto is_same = [&](const LinkDescription& other) {
            return other.target == links.back().target &&
                   other.target_port == links.back().target_port &&
                   other.target_element == links.back().target_element;
        };
        const auto earlier_end = links.begin() + static_cast<std::ptrdiff_t>(before);
        const auto earlier = std::find_if(links.begin() + static_cast<std::ptrdiff_t>(first),
                                          earlier_end, is_same);
        if (earlier == earlier_end) continue;
        diagnostics_
            .error(item->place, fmt::format("{} is connected to {} twice", request.subject,
                                            in_quotes(item->scalar)))
            .notes.push_back({earlier->place, "first connected here"});
    }
}

void ConnectionReader::read_reference(const Request& request, const YamlNode& node,
                                      std::vector<LinkDescription>& links) {
    if (!node.is_scalar()) {
        diagnostics_.error(node.place,
                           node.is_null()
                               ? request.subject + ": nothing follows it"
                               : fmt::format("{} cannot be {}", request.subject, node.kind_text()),
                           providers_hint(request.port.interface_id));
        return;
    }
    resolve(request, node.scalar, node.place, links);
}

void ConnectionReader::resolve(const Request& request, const std::string& text, const Place& place,
                               std::vector<LinkDescription>& links) {
    const auto at = text.find('@');
    const std::vector<std::string_view> parts = split(std::string_view{text}.substr(0, at));
    const Provider* provider = find(parts[0]);
    if (provider == nullptr) return report_no_component(request, parts[0], place);
    if (!provider->is_known) return;  // its unknown type was reported
    const bool names_port = parts.size() > 1 && !is_number(parts[1]);
    const backplane_port* port = names_port ? named_port(request, *provider, parts[1], place)
                                            : choose_port(request, *provider, place);
    if (port == nullptr) return;

    const std::size_t element_part = names_port ? 2 : 1;
    const bool has_element = parts.size() > element_part;
    const bool is_bus = is_pci_bus(*port);
    if (parts.size() > element_part + 1 || (is_bus && has_element) ||
        (!is_bus && at != text.npos)) {
        diagnostics_.error(
            place, fmt::format("{}: {} has too many parts", request.subject, in_quotes(text)),
            "expected " + reference_text(provider->name, provider->ports, *port));
        return;
    }
    std::optional<std::string_view> written;
    if (at != text.npos)
        written = std::string_view{text}.substr(at + 1);
    else if (has_element)
        written = parts[element_part];
    const auto element = choose_element(request, *provider, *port, written, place);
    if (!element || !take(request, *provider, *port, *element, place)) return;
    links.push_back({.port = request.index,
                     .element = request.element,
                     .target = provider->name,
                     .target_port = static_cast<std::uint32_t>(port - provider->ports.data()),
                     .target_element = *element,
                     .place = place});
}

std::optional<std::uint32_t> ConnectionReader::choose_element(const Request& request,
                                                              const Provider& provider,
                                                              const backplane_port& port,
                                                              std::optional<std::string_view> text,
                                                              const Place& place) {
    if (!text && port.count <= 1) return 0;
    const std::string expected = "expected " + reference_text(provider.name, provider.ports, port);
    if (!text) {
        diagnostics_.error(place,
                           fmt::format("{}: {}.{} has {} elements, and this does not say which",
                                       request.subject, provider.name, port.name, port.count),
                           expected);
        return std::nullopt;
    }
    const auto element = is_pci_bus(port) ? pci_slot_of(*text)
                                          : element_of(*text, std::max(port.count, 1u));
    if (!element)
        diagnostics_.error(place,
                           fmt::format("{}: {} has no {} {}", request.subject, provider.name,
                                       singular(port), printable(shortened(*text, 30))),
                           expected);
    return element;
}

bool ConnectionReader::take(const Request& request, const Provider& provider,
                            const backplane_port& port, std::uint32_t element, const Place& place) {
    if ((port.flags & BACKPLANE_EXCLUSIVE) == 0) return true;
    const auto [taken, is_new] = taken_.try_emplace({&port, {provider.name, element}},
                                                    Taken{request.subject, place});
    if (is_new) return true;
    const std::string which = is_pci_bus(port) ? fmt::format("{}@{:02x}.{}", provider.name,
                                                             element / 8, element % 8)
                              : port.count > 1
                                  ? fmt::format("{}.{}.{}", provider.name, port.name, element)
                                  : fmt::format("{}.{}", provider.name, port.name);
    diagnostics_
        .error(place,
               fmt::format("{}: {} is taken by {}", request.subject, which, taken->second.subject))
        .notes.push_back({taken->second.place, "taken here"});
    return false;
}

const backplane_port* ConnectionReader::choose_port(const Request& request,
                                                    const Provider& provider, const Place& place) {
    const std::string interface_id = request.port.interface_id;
    std::vector<const backplane_port*> fitting;
    std::vector<std::string> references, others;
    for (const backplane_port& port : provider.ports) {
        if (provides(port, interface_id)) {
            fitting.push_back(&port);
            references.push_back(provider.name + "." + port.name);
        } else if (port.role == BACKPLANE_PROVIDES) {
            others.push_back(fmt::format("{} ({})", port.interface_id, port.name));
        }
    }
    if (fitting.size() == 1) return fitting[0];
    if (fitting.empty()) {
        const std::string what = others.empty() ? "nothing"
                                                : fmt::format("{}", fmt::join(others, ", "));
        diagnostics_.error(place,
                           fmt::format("{} needs {}, but {} provides {}", request.subject,
                                       interface_id, provider.name, shortened(what, 200)),
                           providers_hint(interface_id));
    } else {
        diagnostics_.error(place,
                           fmt::format("{}: {} provides {} more than once", request.subject,
                                       provider.name, interface_id),
                           fmt::format("expected {}", fmt::join(references, " or ")));
    }
    return nullptr;
}

const backplane_port* ConnectionReader::named_port(const Request& request, const Provider& provider,
                                                   std::string_view name, const Place& place) {
    const auto port = std::ranges::find_if(
        provider.ports, [&](const backplane_port& each) { return name == each.name; });
    if (port == provider.ports.end()) {
        std::vector<std::string> names;
        for (const backplane_port& each : provider.ports)
            if (each.role == BACKPLANE_PROVIDES) names.emplace_back(each.name);
        std::string hint = did_you_mean(name, names);
        if (hint.empty() && !names.empty())
            hint = fmt::format("it provides {}", fmt::join(names, ", "));
        diagnostics_.error(
            place,
            fmt::format("{}: {} has no port {}", request.subject, provider.name, in_quotes(name)),
            std::move(hint));
        return nullptr;
    }
    if (port->role != BACKPLANE_PROVIDES) {
        diagnostics_.error(place,
                           fmt::format("{}: {}.{} provides nothing; it needs a connection itself",
                                       request.subject, provider.name, port->name),
                           providers_hint(request.port.interface_id));
        return nullptr;
    }
    if (provides(*port, request.port.interface_id)) return &*port;
    diagnostics_.error(place,
                       fmt::format("{} needs {}, but {}.{} provides {}", request.subject,
                                   request.port.interface_id, provider.name, port->name,
                                   port->interface_id),
                       providers_hint(request.port.interface_id));
    return nullptr;
}

void ConnectionReader::use_default(const Request& request, std::vector<LinkDescription>& links) {
    const bool is_optional = (request.port.flags & BACKPLANE_OPTIONAL) != 0;
    const char* text = request.port.connect_to;
    if (text == nullptr) {
        if (!is_optional) report_unconnected(request);
        return;
    }
    if (find(split(text)[0]) == nullptr) {
        if (!is_optional) report_unconnected(request);
        return;
    }
    const std::size_t before = links.size();
    resolve(request, text, request.device.blame(), links);
    if (links.size() > before) links.back().place = {};
}

void ConnectionReader::report_unconnected(const Request& request) {
    std::string message = request.subject + " must be connected";
    if (request.port.connect_to != nullptr)
        message += fmt::format("; its default {} is not there", in_quotes(request.port.connect_to));
    diagnostics_.error(request.device.blame(), std::move(message),
                       providers_hint(request.port.interface_id));
}

void ConnectionReader::report_no_component(const Request& request, std::string_view name,
                                           const Place& place) {
    std::vector<std::string> names;
    for (const auto& [known, provider] : providers_)
        names.push_back(known);
    std::string hint = did_you_mean(name, names);
    if (hint.empty()) hint = providers_hint(request.port.interface_id);
    Diagnostic& error = diagnostics_.error(
        place, fmt::format("{}: there is no component {}", request.subject, in_quotes(name)),
        std::move(hint));
    const auto removed = std::ranges::find(document_.removed, name, &RemovedDevice::name);
    if (removed != document_.removed.end())
        error.notes.push_back({removed->place, "it is removed here"});
}

std::string ConnectionReader::providers_hint(const std::string& interface_id) const {
    std::vector<std::string> references;
    for (const auto& [name, provider] : providers_)
        for (const backplane_port& port : provider.ports)
            if (provides(port, interface_id))
                references.push_back(reference_text(name, provider.ports, port));
    if (references.empty()) return "no component provides " + interface_id;
    if (references.size() > 4) {
        references.resize(4);
        references.emplace_back("…");
    }
    return fmt::format("expected {}", fmt::join(references, " or "));
}

}  // namespace backplane::runtime
