// A shared library, but no plugin.
#include "fixture.h"

extern "C" BACKPLANE_EXPORT int something_else();
int something_else() { return 0; }
