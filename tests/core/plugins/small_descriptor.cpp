// Claims to end before get_factory.
#include "fixture.h"

FIXTURE_PLUGIN = fixture::spoiled("small-descriptor", [](auto& d) { d.struct_size = 24; });
