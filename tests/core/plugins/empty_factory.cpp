// Its factory lists nothing.
#include "fixture.h"

static constexpr backplane_device_factory factory{sizeof factory, 0, nullptr};
FIXTURE_PLUGIN = fixture::descriptor("empty-factory",
                                     [](const char*) -> const void* { return &factory; });
