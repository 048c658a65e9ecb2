#include "core/small_catalog.h"

#include <backplane/abi.h>

#include <iterator>

namespace backplane::test {

namespace {

constexpr std::uint64_t mib = 1024 * 1024;

constexpr backplane_value number(std::uint64_t value) { return {.u = value}; }

constexpr backplane_value text(const char* value) {
    backplane_value result{};
    result.text = value;
    return result;
}

constexpr backplane_property property(std::uint32_t kind, const char* name, const char* doc,
                                      backplane_value initial = {}, std::uint64_t minimum = 0,
                                      std::uint64_t maximum = 0, std::uint32_t flags = 0) {
    return {.struct_size = sizeof(backplane_property),
            .kind = kind,
            .flags = flags,
            .choice_count = 0,
            .name = name,
            .doc = doc,
            .initial = initial,
            .minimum = number(minimum),
            .maximum = number(maximum),
            .choices = nullptr};
}

template <std::size_t count>
constexpr backplane_property choice(const char* name, const char* doc,
                                    const char* const (&choices)[count]) {
    auto result = property(BACKPLANE_CHOICE, name, doc);
    result.choices = choices;
    result.choice_count = count;
    return result;
}

constexpr backplane_port window(const char* interface_id, const char* name, std::uint64_t size,
                                std::uint32_t flags = 0) {
    return {.struct_size = sizeof(backplane_port),
            .role = BACKPLANE_PROVIDES,
            .flags = flags,
            .count = 1,
            .name = name,
            .interface_id = interface_id,
            .doc = "Registers",
            .connect_to = nullptr,
            .size = size};
}

constexpr backplane_port provided(const char* interface_id, const char* name,
                                  std::uint32_t count = 1, std::uint32_t flags = 0) {
    return {.struct_size = sizeof(backplane_port),
            .role = BACKPLANE_PROVIDES,
            .flags = flags,
            .count = count,
            .name = name,
            .interface_id = interface_id,
            .doc = "Input",
            .connect_to = nullptr,
            .size = 0};
}

constexpr backplane_port required(const char* interface_id, const char* name,
                                  std::uint32_t flags = 0, const char* connect_to = nullptr,
                                  std::uint32_t count = 1) {
    return {.struct_size = sizeof(backplane_port),
            .role = BACKPLANE_REQUIRES,
            .flags = flags,
            .count = count,
            .name = name,
            .interface_id = interface_id,
            .doc = "Output",
            .connect_to = connect_to,
            .size = 0};
}

constexpr backplane_property ram_properties[] = {property(
    BACKPLANE_BYTES, "size", "How much memory", {}, mib, 64 * 1024 * mib, BACKPLANE_REQUIRED)};
constexpr backplane_port ram_ports[] = {
    window(BACKPLANE_MEMORY_WINDOW, "low", 0),
    window(BACKPLANE_MEMORY_WINDOW, "high", 0, BACKPLANE_OPTIONAL)};

constexpr backplane_property timer_properties[] = {
    property(BACKPLANE_HERTZ, "frequency", "Ticks per second", number(1000), 1, 1'000'000'000),
    property(BACKPLANE_DURATION, "delay", "Time before the first tick")};
constexpr backplane_port timer_ports[] = {window(BACKPLANE_MEMORY_WINDOW, "registers", 0x400),
                                          required(BACKPLANE_LINE, "irq")};
constexpr backplane_register_field timer_fields[] = {
    {.struct_size = sizeof(backplane_register_field),
     .first_bit = 0,
     .bits = 1,
     .access = BACKPLANE_READ_WRITE,
     .reserved = 0,
     .name = "enabled",
     .doc = "The timer counts"},
    {.struct_size = sizeof(backplane_register_field),
     .first_bit = 4,
     .bits = 3,
     .access = BACKPLANE_READ_ONLY,
     .reserved = 0,
     .name = "phase",
     .doc = nullptr}};
constexpr backplane_register timer_registers[] = {{.struct_size = sizeof(backplane_register),
                                                   .port = 0,
                                                   .offset = 0,
                                                   .width = 4,
                                                   .field_count = 2,
                                                   .name = "CONTROL",
                                                   .doc = "Starts and stops",
                                                   .fields = timer_fields},
                                                  {.struct_size = sizeof(backplane_register),
                                                   .port = 0,
                                                   .offset = 4,
                                                   .width = 4,
                                                   .field_count = 0,
                                                   .name = "PERIOD",
                                                   .doc = nullptr,
                                                   .fields = nullptr}};
constexpr backplane_statistic timer_statistics[] = {{.struct_size = sizeof(backplane_statistic),
                                                     .kind = BACKPLANE_COUNTER,
                                                     .name = "ticks",
                                                     .unit = "ticks",
                                                     .doc = "Times the timer expired"}};
constexpr backplane_state_field timer_state[] = {{.struct_size = sizeof(backplane_state_field),
                                                  .kind = BACKPLANE_STATE_UNSIGNED,
                                                  .element_size = 4,
                                                  .count = 1,
                                                  .name = "period"},
                                                 {.struct_size = sizeof(backplane_state_field),
                                                  .kind = BACKPLANE_STATE_BYTES,
                                                  .element_size = 16,
                                                  .count = 4,
                                                  .name = "history"}};

constexpr backplane_port pic_ports[] = {window(BACKPLANE_PORT_WINDOW, "registers", 2),
                                        provided(BACKPLANE_LINE, "input", 8),
                                        required(BACKPLANE_LINE, "intr", BACKPLANE_OPTIONAL)};
constexpr backplane_port ioapic_ports[] = {
    window(BACKPLANE_MEMORY_WINDOW, "registers", 0x1000), provided(BACKPLANE_LINE, "input", 24),
    required(BACKPLANE_MESSAGE_INTERRUPT, "messages", BACKPLANE_OPTIONAL | BACKPLANE_MULTIPLE)};
constexpr backplane_port apic_ports[] = {provided(BACKPLANE_MESSAGE_INTERRUPT, "messages")};

constexpr const char* parities[] = {"none", "even", "odd"};
constexpr backplane_property serial_properties[] = {
    choice("parity", "Parity bit", parities),
    property(BACKPLANE_TEXT, "label", "For people", text("")),
    property(BACKPLANE_BOOLEAN, "fifo", "Has a FIFO", number(1))};
constexpr backplane_port serial_ports[] = {window(BACKPLANE_PORT_WINDOW, "registers", 8),
                                           required(BACKPLANE_LINE, "irq", BACKPLANE_OPTIONAL),
                                           required(BACKPLANE_CHARACTER, "stream", 0, "console")};

constexpr backplane_port console_ports[] = {provided(BACKPLANE_CHARACTER, "stream")};
constexpr backplane_property file_properties[] = {
    property(BACKPLANE_PATH, "path", "The file", text(""), 0, 0, BACKPLANE_REQUIRED),
    property(BACKPLANE_BOOLEAN, "append", "Keep what is there")};

constexpr backplane_property cpu_properties[] = {
    property(BACKPLANE_UNSIGNED, "stepping", "CPUID stepping", number(1), 0, 15),
    property(BACKPLANE_INTEGER, "offset", "Of the time stamp counter", {},
             static_cast<std::uint64_t>(-10), 10)};
constexpr backplane_property fast_cpu_properties[] = {
    property(BACKPLANE_BYTES, "cache", "For compiled code", number(32 * mib))};
constexpr backplane_port cpu_ports[] = {provided(BACKPLANE_LINE, "intr"),
                                        provided(BACKPLANE_LINE, "nmi"),
                                        required(BACKPLANE_ADDRESS_SPACE, "memory", 0, "memory"),
                                        required(BACKPLANE_ADDRESS_SPACE, "io", 0, "io")};
constexpr backplane_port router_ports[] = {
    required(BACKPLANE_LINE, "out", BACKPLANE_OPTIONAL, nullptr, 3)};
constexpr backplane_port bus_ports[] = {
    provided(BACKPLANE_PCI_SLOT, "slots", BACKPLANE_PCI_SLOTS, BACKPLANE_EXCLUSIVE)};
constexpr backplane_port card_ports[] = {
    required(BACKPLANE_PCI_SLOT, "slot"),
    window(BACKPLANE_MEMORY_WINDOW, "framebuffer", mib, BACKPLANE_PLACED)};
constexpr backplane_port pair_ports[] = {required(BACKPLANE_LINE, "out", 0, nullptr, 2)};

template <std::size_t properties, std::size_t ports>
constexpr backplane_device_type device(const char* name, const char* summary,
                                       const backplane_property (&property_list)[properties],
                                       const backplane_port (&port_list)[ports]) {
    backplane_device_type type{};
    type.struct_size = sizeof type;
    type.name = name;
    type.summary = summary;
    type.properties = property_list;
    type.property_count = properties;
    type.ports = port_list;
    type.port_count = ports;
    return type;
}

template <std::size_t ports>
constexpr backplane_device_type device(const char* name, const char* summary,
                                       const backplane_port (&port_list)[ports]) {
    backplane_device_type type{};
    type.struct_size = sizeof type;
    type.name = name;
    type.summary = summary;
    type.ports = port_list;
    type.port_count = ports;
    return type;
}

constexpr backplane_device_type timer_type() {
    auto type = device("test.timer", "Periodic timer with one interrupt line", timer_properties,
                       timer_ports);
    type.registers = timer_registers;
    type.register_count = std::size(timer_registers);
    type.statistics = timer_statistics;
    type.statistic_count = std::size(timer_statistics);
    type.state = timer_state;
    type.state_count = std::size(timer_state);
    return type;
}

constexpr backplane_device_type types[] = {
    device("test.ram", "Memory", ram_properties, ram_ports),
    timer_type(),
    device("test.pic", "Interrupt controller", pic_ports),
    device("test.ioapic", "Interrupt controller that sends messages", ioapic_ports),
    device("test.apic", "Interrupt controller that receives messages", apic_ports),
    device("test.serial", "Serial port", serial_properties, serial_ports),
    device("test.console", "Terminal", console_ports),
    device("test.file", "Stream into a file", file_properties, console_ports),
    device("test.cpu", "Processor", cpu_properties, cpu_ports),
    device("test.fast-cpu", "Processor that compiles", fast_cpu_properties, cpu_ports),
    device("test.router", "Drives three lines", router_ports),
    device("test.pci-bus", "PCI bus", bus_ports),
    device("test.card", "PCI function", card_ports),
    device("test.pair", "Drives two lines", pair_ports),
};

}  // namespace

SmallCatalog::SmallCatalog() {
    for (const backplane_device_type& type : types)
        entries_[type.name] = {&type, "test 1.0.0"};
}

const SmallCatalog::Entry* SmallCatalog::find(std::string_view name) const {
    const auto found = entries_.find(name);
    return found == entries_.end() ? nullptr : &found->second;
}

std::vector<std::string> SmallCatalog::names() const {
    std::vector<std::string> names;
    for (const auto& [name, entry] : entries_)
        names.push_back(name);
    return names;
}

}  // namespace backplane::test
