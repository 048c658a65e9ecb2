// Loads.
#include "fixture.h"

FIXTURE_PLUGIN = fixture::descriptor("org.backplane.test.good");
