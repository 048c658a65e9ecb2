#include "runtime/declaration_check.h"

#include <backplane/abi.h>

#include <boost/algorithm/string/classification.hpp>
#include <boost/algorithm/string/split.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

namespace backplane::runtime {

namespace {

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Letters and digits in words that hyphens join, a letter first: "fifo-depth".
bool is_kebab_case(std::string_view name) {
    if (name.empty() || !is_lower(name.front()) || name.ends_with('-')) return false;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name[i] == '-' && name[i - 1] == '-') return false;
        if (!is_lower(name[i]) && !is_digit(name[i]) && name[i] != '-') return false;
    }
    return true;
}

// At least two kebab-case words that dots join: "chipset.pit8254".
bool is_type_name(std::string_view name) {
    std::vector<std::string> parts;
    boost::split(parts, name, boost::is_any_of("."));
    return parts.size() >= 2 && std::ranges::all_of(parts, is_kebab_case);
}

// Names that only tools read: "counter[0].reload", "jit.cache.used_bytes".
bool is_plain_name(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](char c) {
        return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z') || boost::is_any_of("._-[]")(c);
    });
}

// "backplane.line/1".
bool is_interface_id(std::string_view id) {
    const std::size_t slash = id.rfind('/');
    if (slash == std::string_view::npos || !is_plain_name(id.substr(0, slash))) return false;
    const std::string_view version = id.substr(slash + 1);
    return !version.empty() && std::ranges::all_of(version, is_digit);
}

bool is_window(const backplane_port& port) {
    const std::string_view id = port.interface_id ? port.interface_id : "";
    return id == BACKPLANE_MEMORY_WINDOW || id == BACKPLANE_PORT_WINDOW;
}

bool missing(const char* text) { return !text || !*text; }

class Check {
public:
    explicit Check(const backplane_device_type& type) : type_{type} {}

    std::vector<std::string> run() {
        if (missing(type_.name))
            say_of_type("it has no name");
        else if (!is_type_name(type_.name))
            say_of_type("its name must be family.chip in lower case, such as 'chipset.pit8254'");
        if (missing(type_.summary)) say_of_type("it has no summary");
        for (std::uint32_t i = 0; i < type_.property_count; ++i)
            check_property(i);
        for (std::uint32_t i = 0; i < type_.port_count; ++i)
            check_port(i);
        for (std::uint32_t i = 0; i < type_.register_count; ++i)
            check_register(i);
        for (std::uint32_t i = 0; i < type_.statistic_count; ++i)
            check_statistic(i);
        for (std::uint32_t i = 0; i < type_.state_count; ++i)
            check_state(i);
        check_functions();
        return std::move(problems_);
    }

private:
    // About the type as a whole, and about the part that `begin` named.
    void say_of_type(std::string problem) { problems_.push_back(std::move(problem)); }
    template <class... Args> void say(fmt::format_string<Args...> format, Args&&... args) {
        problems_.push_back(what_ + ": " + fmt::format(format, std::forward<Args>(args)...));
    }

    // Makes `kind 'name'` the subject of what follows; an unnamed one is known by its place.
    void begin(const char* kind, const char* name, std::uint32_t index) {
        what_ = missing(name) ? fmt::format("{} {}", kind, index)
                              : fmt::format("{} '{}'", kind, name);
        if (missing(name)) say("it has no name");
    }
    void unique(std::set<std::string, std::less<>>& names, const char* name, const char* also) {
        if (!missing(name) && !names.insert(name).second) say("{} has this name", also);
    }

    // Properties and ports are keys of a component in a machine file.
    void check_key(const char* name) {
        const std::string_view key = name ? name : "";
        if (key == "type" || key == "log") say("machine files use this key themselves");
        unique(keys_, name, "another property or port");
    }

    void check_property(std::uint32_t i);
    void check_range(const backplane_property& property);
    void check_port(std::uint32_t i);
    void check_register(std::uint32_t i);
    void check_field(const backplane_register& reg, const backplane_register_field& field,
                     std::uint32_t i);
    void check_statistic(std::uint32_t i);
    void check_state(std::uint32_t i);
    void check_functions();

    const backplane_device_type& type_;
    std::string what_;
    std::vector<std::string> problems_;
    std::set<std::string, std::less<>> keys_, statistics_, state_;
};

void Check::check_property(std::uint32_t i) {
    const backplane_property& property = type_.properties[i];
    begin("property", property.name, i);
    if (!missing(property.name) && !is_kebab_case(property.name))
        say("its name must be lower-case words joined by '-'");
    check_key(property.name);
    if (missing(property.doc)) say("it has no doc");
    if (property.kind < BACKPLANE_BOOLEAN || property.kind > BACKPLANE_PATH) {
        say("its kind is {}; 1 (BOOLEAN) to {} (PATH) were expected", property.kind,
            static_cast<int>(BACKPLANE_PATH));
        return;
    }
    if (property.kind != BACKPLANE_CHOICE && property.choice_count != 0) {
        say("only a choice may have choices");
    } else if (property.kind == BACKPLANE_CHOICE) {
        if (property.choice_count == 0 || !property.choices) {
            say("a choice without choices");
            return;
        }
        std::set<std::string_view> choices;
        for (std::uint32_t c = 0; c < property.choice_count; ++c) {
            if (missing(property.choices[c]))
                say("choice {} is empty", c);
            else if (!choices.insert(property.choices[c]).second)
                say("choice '{}' is there twice", property.choices[c]);
        }
    }
    if (!(property.flags & BACKPLANE_REQUIRED)) check_range(property);
}

// The default must be something the machine file could have said.
void Check::check_range(const backplane_property& property) {
    switch (property.kind) {
    case BACKPLANE_BOOLEAN:
        if (property.initial.u > 1)
            say("its default is {}; 0 or 1 was expected", property.initial.u);
        return;
    case BACKPLANE_CHOICE:
        if (property.initial.u >= property.choice_count)
            say("its default is choice {}, but there are {}", property.initial.u,
                property.choice_count);
        return;
    case BACKPLANE_TEXT:
    case BACKPLANE_PATH: return;
    case BACKPLANE_INTEGER: {
        const auto [initial, low, high] = std::tuple{property.initial.i, property.minimum.i,
                                                     property.maximum.i};
        if (low == 0 && high == 0) return;
        if (low > high)
            say("its range {} to {} is empty", low, high);
        else if (initial < low || initial > high)
            say("its default {} is outside its range {} to {}", initial, low, high);
        return;
    }
    default: {
        const auto [initial, low, high] = std::tuple{property.initial.u, property.minimum.u,
                                                     property.maximum.u};
        if (low == 0 && high == 0) return;
        if (low > high)
            say("its range {} to {} is empty", low, high);
        else if (initial < low || initial > high)
            say("its default {} is outside its range {} to {}", initial, low, high);
    }
    }
}

void Check::check_port(std::uint32_t i) {
    const backplane_port& port = type_.ports[i];
    begin("port", port.name, i);
    if (!missing(port.name) && !is_kebab_case(port.name))
        say("its name must be lower-case words joined by '-'");
    check_key(port.name);
    if (missing(port.doc)) say("it has no doc");
    if (missing(port.interface_id))
        say("it has no interface id");
    else if (!is_interface_id(port.interface_id))
        say("its interface id is '{}'; name/version such as 'backplane.line/1' was expected",
            port.interface_id);
    if (port.count == 0) say("its count is 0; 1 or more was expected");
    if (port.role != BACKPLANE_PROVIDES && port.role != BACKPLANE_REQUIRES) {
        say("its role is {}; 1 (PROVIDES) or 2 (REQUIRES) was expected", port.role);
        return;
    }
    const bool provides = port.role == BACKPLANE_PROVIDES;
    if (provides && (port.flags & (BACKPLANE_OPTIONAL | BACKPLANE_MULTIPLE)))
        say("only a port that requires may be optional or multiple");
    if (provides && port.connect_to) say("only a port that requires may have connect_to");
    if (!(provides && is_window(port)) && (port.flags & BACKPLANE_PLACED))
        say("only a window that it provides may be placed by the device");
    if (!provides && (port.flags & BACKPLANE_EXCLUSIVE))
        say("only a port that provides may be exclusive");
    if (is_window(port) && provides) {
        if (port.size == 0 && !type_.window_size)
            say("a window of size 0 needs the function window_size");
    } else if (port.size != 0) {
        say("only a window that it provides may have a size");
    }
}

void Check::check_register(std::uint32_t i) {
    const backplane_register& reg = type_.registers[i];
    begin("register", reg.name, i);
    if (reg.port >= type_.port_count) {
        say("it is in port {}, but there are {}", reg.port, type_.port_count);
        return;
    }
    const backplane_port& port = type_.ports[reg.port];
    if (!is_window(port)) say("its port '{}' is not a window", port.name ? port.name : "");
    if (reg.width != 1 && reg.width != 2 && reg.width != 4 && reg.width != 8)
        say("its width is {} bytes; 1, 2, 4 or 8 was expected", reg.width);
    else if (port.size != 0 && (reg.offset >= port.size || port.size - reg.offset < reg.width))
        say("{} bytes at {:#x} do not fit its window of {:#x} bytes", reg.width, reg.offset,
            port.size);
    for (std::uint32_t f = 0; f < reg.field_count; ++f)
        check_field(reg, reg.fields[f], f);
}

void Check::check_field(const backplane_register& reg, const backplane_register_field& field,
                        std::uint32_t i) {
    const char* reg_name = reg.name ? reg.name : "?";
    if (missing(field.name)) {
        begin("register", reg.name, i);
        say("field {} has no name", i);
        return;
    }
    begin("register field", fmt::format("{}.{}", reg_name, field.name).c_str(), i);
    if (field.bits == 0 || field.first_bit + field.bits > reg.width * 8)
        say("{} bits from bit {} do not fit a register of {} bits", field.bits, field.first_bit,
            reg.width * 8);
    if (field.access > BACKPLANE_WRITE_ONE_TO_SET)
        say("its access is {}; 0 (READ_WRITE) to {} (WRITE_ONE_TO_SET) were expected", field.access,
            static_cast<int>(BACKPLANE_WRITE_ONE_TO_SET));
}

void Check::check_statistic(std::uint32_t i) {
    const backplane_statistic& statistic = type_.statistics[i];
    begin("statistic", statistic.name, i);
    if (!missing(statistic.name) && !is_plain_name(statistic.name))
        say("its name may have letters, digits and ._-[] only");
    unique(statistics_, statistic.name, "another statistic");
    if (missing(statistic.unit)) say("it has no unit");
    if (missing(statistic.doc)) say("it has no doc");
    if (statistic.kind < BACKPLANE_COUNTER || statistic.kind > BACKPLANE_DURATION_TOTAL)
        say("its kind is {}; 1 (COUNTER) to {} (DURATION_TOTAL) were expected", statistic.kind,
            static_cast<int>(BACKPLANE_DURATION_TOTAL));
}

void Check::check_state(std::uint32_t i) {
    const backplane_state_field& field = type_.state[i];
    begin("state field", field.name, i);
    if (!missing(field.name) && !is_plain_name(field.name))
        say("its name may have letters, digits and ._-[] only");
    unique(state_, field.name, "another state field");
    const std::uint32_t size = field.element_size;
    switch (field.kind) {
    case BACKPLANE_STATE_UNSIGNED:
    case BACKPLANE_STATE_SIGNED:
        if (size != 1 && size != 2 && size != 4 && size != 8)
            say("its elements have {} bytes; 1, 2, 4 or 8 was expected", size);
        break;
    case BACKPLANE_STATE_BOOLEAN:
        if (size != 1) say("its elements have {} bytes; 1 was expected", size);
        break;
    case BACKPLANE_STATE_BYTES:
        if (size == 0) say("its elements have 0 bytes; 1 or more was expected");
        break;
    default:
        say("its kind is {}; 1 (UNSIGNED) to {} (BYTES) were expected", field.kind,
            static_cast<int>(BACKPLANE_STATE_BYTES));
        return;
    }
    if (field.count == 0) say("its count is 0; 1 or more was expected");
}

void Check::check_functions() {
    const std::span ports{type_.ports, type_.port_count};
    const bool provides = std::ranges::any_of(ports,
                                              [](auto& p) { return p.role == BACKPLANE_PROVIDES; });
    const bool requires_any = std::ranges::any_of(
        ports, [](auto& p) { return p.role == BACKPLANE_REQUIRES; });
    const auto need = [this](const void* function, const char* name, bool needed, const char* why) {
        if (needed && !function) say_of_type(fmt::format("function {} is NULL, but {}", name, why));
    };
    const auto* every = "every type needs it";
    need(reinterpret_cast<const void*>(type_.create), "create", true, every);
    need(reinterpret_cast<const void*>(type_.destroy), "destroy", true, every);
    need(reinterpret_cast<const void*>(type_.reset), "reset", true, every);
    need(reinterpret_cast<const void*>(type_.provide), "provide", provides, "a port PROVIDES");
    need(reinterpret_cast<const void*>(type_.connect), "connect", requires_any, "a port REQUIRES");
    need(reinterpret_cast<const void*>(type_.read_statistics), "read_statistics",
         type_.statistic_count != 0, "there are statistics");
    need(reinterpret_cast<const void*>(type_.state_address), "state_address",
         type_.state_count != 0, "there is saved state");
}

}  // namespace

std::vector<std::string> check_device_type(const backplane_device_type& type) {
    return Check{type}.run();
}

}  // namespace backplane::runtime
