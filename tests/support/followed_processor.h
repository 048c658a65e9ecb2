// What the manuals leave undefined about flags, the semantics do as one processor does it: AMD's
// family 1Ah (Zen 5), where it was measured. Under other processors it is not compared.
#pragma once

#include <cpuid.h>

#include <cstring>

namespace backplane::x86::testing {

// Whether the tests run on that processor.
inline bool is_followed_processor() {
    static const bool is_followed = [] {
        unsigned version, ebx, ecx, edx;
        char vendor[12];
        if (!__get_cpuid(0, &version, &ebx, &ecx, &edx)) return false;
        std::memcpy(vendor, &ebx, 4);
        std::memcpy(vendor + 4, &edx, 4);
        std::memcpy(vendor + 8, &ecx, 4);
        if (std::memcmp(vendor, "AuthenticAMD", sizeof vendor) != 0) return false;
        if (!__get_cpuid(1, &version, &ebx, &ecx, &edx)) return false;
        // APM 3, CPUID Fn0000_0001_EAX: families above 0Fh are base plus extended family.
        return (version >> 8 & 0xf) + (version >> 20 & 0xff) == 0x1a;
    }();
    return is_followed;
}

}  // namespace backplane::x86::testing
