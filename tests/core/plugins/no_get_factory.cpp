// Has nothing to ask for what it offers.
#include "fixture.h"

FIXTURE_PLUGIN = fixture::spoiled("no-get-factory", [](auto& d) { d.get_factory = nullptr; });
