// Was built for another major version of the ABI.
#include "fixture.h"

FIXTURE_PLUGIN = fixture::spoiled("wrong-major", [](auto& d) {
    d.abi_major = 7;
    d.abi_minor = 3;
    d.get_factory = nullptr;  // must not even be looked at
});
