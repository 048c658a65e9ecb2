// Needs a C++ function that nobody defines.
#include "fixture.h"

namespace example {
int lost_function(int, const char*);
}

static const void* get_factory(const char*) {
    return example::lost_function(1, "") == 0 ? nullptr : &fixture::instance;
}
FIXTURE_PLUGIN = fixture::descriptor("undefined-symbol", get_factory);
