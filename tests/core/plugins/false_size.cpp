// Claims more bytes than it has.
#include "fixture.h"

// Without padding: AddressSanitizer would enlarge the symbol.
__attribute__((no_sanitize("address"))) FIXTURE_PLUGIN = fixture::spoiled(
    "false-size", [](auto& d) { d.struct_size = 4096; });
