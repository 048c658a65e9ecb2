#include "tier2/semantics_bitcode.h"

// The file is made by the build of semantics/.
asm(".section .rodata,\"a\"\n"
    ".balign 16\n"
    "backplane_tier2_bitcode:\n"
    ".incbin \"" BACKPLANE_TIER2_BITCODE "\"\n"
    "backplane_tier2_bitcode_end:\n"
    ".previous\n");

extern "C" const char backplane_tier2_bitcode[], backplane_tier2_bitcode_end[];

namespace backplane::jit::tier2 {

llvm::StringRef semantics_bitcode() {
    return {backplane_tier2_bitcode,
            static_cast<std::size_t>(backplane_tier2_bitcode_end - backplane_tier2_bitcode)};
}

}  // namespace backplane::jit::tier2
