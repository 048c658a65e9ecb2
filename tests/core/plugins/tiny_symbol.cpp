// Exports the right name for something else.
#include "fixture.h"

// Without padding: AddressSanitizer would enlarge the symbol.
extern "C" BACKPLANE_EXPORT __attribute__((no_sanitize("address"))) const int backplane_plugin = 5;
