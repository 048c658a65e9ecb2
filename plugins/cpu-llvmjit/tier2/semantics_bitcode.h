// The bitcode of the semantics, which is part of this program.
#pragma once

#include <llvm/ADT/StringRef.h>

namespace backplane::jit::tier2 {

llvm::StringRef semantics_bitcode();

}  // namespace backplane::jit::tier2
