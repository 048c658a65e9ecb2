// Lets an exception out, which nothing at the seam may do.
#include "fixture.h"

FIXTURE_PLUGIN = fixture::descriptor("throwing-factory",
                                     [](const char*) -> const void* { throw 1; });
