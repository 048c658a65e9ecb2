// Leaves out one of the texts every plugin has.
#include "fixture.h"

FIXTURE_PLUGIN = fixture::spoiled("no-version", [](auto& d) { d.version = ""; });
