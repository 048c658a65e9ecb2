// Loads too; built twice under one name, so that one shadows the other, and once as a twin with its
// id.
#include "fixture.h"

static constexpr auto type = fixture::device_type("fixture.other");
FIXTURE_PLUGIN = fixture::descriptor("org.backplane.test.other", fixture::factory<&type>);
