// Declares one device type with every kind of contradiction. Each line of it is a line of the
// message.
#include "fixture.h"

namespace {

constexpr const char* colours[] = {"red", "red", ""};

constexpr backplane_property property(const char* name, std::uint32_t kind) {
    return {.struct_size = sizeof(backplane_property),
            .kind = kind,
            .flags = 0,
            .choice_count = 0,
            .name = name,
            .doc = "A setting",
            .initial = {},
            .minimum = {},
            .maximum = {},
            .choices = nullptr};
}
template <class T, class Change> constexpr T with(T value, Change change) {
    change(value);
    return value;
}

constexpr backplane_property properties[] = {
    property("Upper", BACKPLANE_BOOLEAN),
    property(nullptr, BACKPLANE_BOOLEAN),
    property("type", BACKPLANE_TEXT),
    with(property("undocumented", BACKPLANE_TEXT), [](auto& p) { p.doc = nullptr; }),
    property("strange", 99),
    property("colour", BACKPLANE_CHOICE),
    with(property("paint", BACKPLANE_CHOICE),
         [](auto& p) {
             p.choices = colours;
             p.choice_count = 3;
             p.initial.u = 3;
         }),
    with(property("maybe", BACKPLANE_BOOLEAN), [](auto& p) { p.initial.u = 2; }),
    with(property("level", BACKPLANE_INTEGER),
         [](auto& p) {
             p.initial.i = -9;
             p.minimum.i = -8;
             p.maximum.i = 7;
         }),
    with(property("size", BACKPLANE_BYTES),
         [](auto& p) {
             p.minimum.u = 2;
             p.maximum.u = 1;
         }),
    property("twice", BACKPLANE_TEXT),
};

constexpr backplane_port port(const char* name, std::uint32_t role, const char* interface_id) {
    return {.struct_size = sizeof(backplane_port),
            .role = role,
            .flags = 0,
            .count = 1,
            .name = name,
            .interface_id = interface_id,
            .doc = "A connection",
            .connect_to = nullptr,
            .size = 0};
}

constexpr backplane_port ports[] = {
    with(port("registers", BACKPLANE_PROVIDES, BACKPLANE_MEMORY_WINDOW),
         [](auto& p) { p.size = 8; }),
    port("dynamic", BACKPLANE_PROVIDES, BACKPLANE_PORT_WINDOW),
    port("twice", BACKPLANE_PROVIDES, BACKPLANE_LINE),
    port("log", BACKPLANE_PROVIDES, BACKPLANE_LINE),
    port("untyped", BACKPLANE_REQUIRES, nullptr),
    port("unversioned", BACKPLANE_REQUIRES, "backplane.line"),
    port("roleless", 0, BACKPLANE_LINE),
    with(port("none", BACKPLANE_REQUIRES, BACKPLANE_LINE), [](auto& p) { p.count = 0; }),
    with(port("shy", BACKPLANE_PROVIDES, BACKPLANE_LINE),
         [](auto& p) { p.flags = BACKPLANE_OPTIONAL; }),
    with(port("wide", BACKPLANE_REQUIRES, BACKPLANE_LINE), [](auto& p) { p.size = 4; }),
};

constexpr backplane_register_field fields[] = {
    {sizeof(backplane_register_field), 30, 4, BACKPLANE_READ_WRITE, 0, "OVER", nullptr},
    {sizeof(backplane_register_field), 0, 1, 77, 0, "ODD", nullptr},
};

constexpr backplane_register reg(const char* name, std::uint32_t port, std::uint64_t offset,
                                 std::uint32_t width) {
    return {.struct_size = sizeof(backplane_register),
            .port = port,
            .offset = offset,
            .width = width,
            .field_count = 0,
            .name = name,
            .doc = nullptr,
            .fields = nullptr};
}

constexpr backplane_register registers[] = {
    with(reg("CONTROL", 0, 0, 4),
         [](auto& r) {
             r.fields = fields;
             r.field_count = 2;
         }),
    reg("FAR", 0, 6, 4),
    reg("ODD", 0, 0, 3),
    reg("NOWHERE", 50, 0, 4),
    reg("ON_A_WIRE", 2, 0, 4),
};

constexpr backplane_statistic statistics[] = {
    {sizeof(backplane_statistic), BACKPLANE_COUNTER, "frames sent", "frames", "Frames"},
    {sizeof(backplane_statistic), 12, "bytes", "", "Bytes"},
};

constexpr backplane_state_field state[] = {
    {sizeof(backplane_state_field), BACKPLANE_STATE_UNSIGNED, 3, 1, "divisor"},
    {sizeof(backplane_state_field), BACKPLANE_STATE_BOOLEAN, 1, 0, "enabled"},
    {sizeof(backplane_state_field), 44, 1, 1, "enabled"},
};

constexpr auto type = [] {
    backplane_device_type type{};
    type.struct_size = sizeof type;
    type.name = "NoFamily";
    type.summary = "";
    type.property_count = sizeof properties / sizeof *properties;
    type.properties = properties;
    type.port_count = sizeof ports / sizeof *ports;
    type.ports = ports;
    type.register_count = sizeof registers / sizeof *registers;
    type.registers = registers;
    type.statistic_count = sizeof statistics / sizeof *statistics;
    type.statistics = statistics;
    type.state_count = sizeof state / sizeof *state;
    type.state = state;
    return type;
}();

}  // namespace

FIXTURE_PLUGIN = fixture::descriptor("invalid",
                                     fixture::factory<&type, &fixture::nothing, &fixture::nothing>);
