// Offers no device factory.
#include "fixture.h"

FIXTURE_PLUGIN = fixture::descriptor("no-factory",
                                     [](const char*) -> const void* { return nullptr; });
