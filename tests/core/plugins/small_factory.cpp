// Its factory ends before the list.
#include "fixture.h"

static constexpr backplane_device_factory factory{8, 1, nullptr};
FIXTURE_PLUGIN = fixture::descriptor("small-factory",
                                     [](const char*) -> const void* { return &factory; });
