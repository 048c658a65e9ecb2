// Comes from a later minor version: every struct has members at its end that this host does not
// know.
#include "fixture.h"

namespace {

struct Property {
    backplane_property known;
    const char* since_9;
};

struct Port {
    backplane_port known;
    std::uint64_t since_9[2];
};

constexpr Property property(const char* name, std::uint64_t initial) {
    Property result{};
    result.known.struct_size = sizeof(Property);
    result.known.kind = BACKPLANE_UNSIGNED;
    result.known.name = name;
    result.known.doc = "A number";
    result.known.initial.u = initial;
    result.since_9 = "unknown to this host";
    return result;
}

constexpr Port port(const char* name) {
    Port result{};
    result.known.struct_size = sizeof(Port);
    result.known.role = BACKPLANE_REQUIRES;
    result.known.flags = BACKPLANE_OPTIONAL;
    result.known.count = 1;
    result.known.name = name;
    result.known.interface_id = BACKPLANE_LINE;
    result.known.doc = "A wire";
    return result;
}

constexpr Property properties[] = {property("first", 1), property("second", 2),
                                   property("third", 3)};
constexpr Port ports[] = {port("left"), port("right")};

struct Type {
    backplane_device_type known;
    void (*since_9)();
};

constexpr Type type = [] {
    Type result{};
    result.known = fixture::device_type("fixture.newer");
    result.known.struct_size = sizeof(Type);
    result.known.property_count = 3;
    result.known.properties = &properties[0].known;
    result.known.port_count = 2;
    result.known.ports = &ports[0].known;
    result.known.connect = [](void*, std::uint32_t, std::uint32_t, backplane_link) {
        return backplane_status{BACKPLANE_OK};
    };
    return result;
}();

struct Descriptor {
    backplane_plugin_descriptor known;
    const char* since_9;
};

}  // namespace

extern "C" BACKPLANE_EXPORT const Descriptor backplane_plugin = {
    fixture::spoiled("org.backplane.test.newer-minor",
                     [](auto& d) {
                         d.abi_minor = 9;
                         d.struct_size = sizeof(Descriptor);
                         d.get_factory = fixture::factory<&type.known>;
                     }),
    "unknown to this host"};
