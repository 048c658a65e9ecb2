// Flawless alone, but offers a type that another plugin has, and one of its own.
#include "fixture.h"

static constexpr auto own = fixture::device_type("fixture.own");
FIXTURE_PLUGIN = fixture::descriptor("org.backplane.test.same-types",
                                     fixture::factory<&own, &fixture::nothing>);
