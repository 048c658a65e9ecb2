#include "tier2/covered_families.h"
#include "tier2/semantics/bitcode.h"

namespace backplane::jit::tier2 {

template void cover_branch(x86::FormTable<BitcodeEngine>& forms);

}  // namespace backplane::jit::tier2
