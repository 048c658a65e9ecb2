// One of its types is NULL, another is too small.
#include "fixture.h"

static constexpr auto small = [] {
    auto type = fixture::device_type("fixture.small");
    type.struct_size = 40;
    return type;
}();
FIXTURE_PLUGIN = fixture::descriptor("null-entry",
                                     fixture::factory<&fixture::nothing, nullptr, &small>);
