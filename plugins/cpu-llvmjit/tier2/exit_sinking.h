// A pass of our own: what only the ways out of a region need is computed there.
//
// Flags are mostly replaced before anybody reads them, but each way out stores them, and each
// access has a way out. LLVM moves a computation only where a single block needs it.
#pragma once

#include <llvm/IR/PassManager.h>

namespace backplane::jit::tier2 {

class ExitSinkingPass : public llvm::PassInfoMixin<ExitSinkingPass> {
public:
    llvm::PreservedAnalyses run(llvm::Function& function, llvm::FunctionAnalysisManager& analyses);
};

}  // namespace backplane::jit::tier2
