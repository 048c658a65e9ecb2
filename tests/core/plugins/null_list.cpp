// Its factory counts types that it does not list.
#include "fixture.h"

static constexpr backplane_device_factory factory{sizeof factory, 2, nullptr};
FIXTURE_PLUGIN = fixture::descriptor("null-list",
                                     [](const char*) -> const void* { return &factory; });
