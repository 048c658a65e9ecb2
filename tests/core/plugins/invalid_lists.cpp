// Device types whose lists cannot be read at all.
#include "fixture.h"

namespace {

constexpr backplane_property mixed[] = {
    {sizeof(backplane_property), BACKPLANE_TEXT, 0, 0, "first", "A setting", {}, {}, {}, nullptr},
    {0, BACKPLANE_TEXT, 0, 0, "second", "A setting", {}, {}, {}, nullptr},
};
constexpr backplane_port unsized[] = {{}};

template <class Change> constexpr backplane_device_type changed(const char* name, Change change) {
    backplane_device_type type = fixture::device_type(name);
    change(type);
    return type;
}

constexpr auto null_list = changed("fixture.null-list", [](auto& t) { t.state_count = 3; });
constexpr auto mixed_sizes = changed("fixture.mixed-sizes", [](auto& t) {
    t.properties = mixed;
    t.property_count = 2;
});
constexpr auto no_size = changed("fixture.no-size", [](auto& t) {
    t.ports = unsized;
    t.port_count = 1;
});
constexpr auto too_many = changed("fixture.too-many", [](auto& t) {
    t.properties = mixed;
    t.property_count = 1'000'000;
});

}  // namespace

FIXTURE_PLUGIN = fixture::descriptor(
    "invalid-lists", fixture::factory<&null_list, &mixed_sizes, &no_size, &too_many>);
