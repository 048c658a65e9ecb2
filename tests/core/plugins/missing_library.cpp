// Needs a library that is not found.
#include "fixture.h"

extern "C" int lost_library();

static const void* get_factory(const char*) {
    return lost_library() == 0 ? nullptr : &fixture::instance;
}
FIXTURE_PLUGIN = fixture::descriptor("missing-library", get_factory);
