// Has a structure of the right size that is not a descriptor.
#include "fixture.h"

FIXTURE_PLUGIN = fixture::spoiled("wrong-magic", [](auto& d) { d.magic = 0xdeadbeef; });
