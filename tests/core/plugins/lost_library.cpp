// A library that missing_library needs, put where the dynamic linker does not look.
#include "fixture.h"

extern "C" BACKPLANE_EXPORT int lost_library();
int lost_library() { return 0; }
