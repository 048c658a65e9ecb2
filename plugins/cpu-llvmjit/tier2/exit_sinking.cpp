#include "tier2/exit_sinking.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>

#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace backplane::jit::tier2 {
namespace {

bool is_movable(const llvm::Instruction& instruction) {
    return llvm::isa<llvm::BinaryOperator, llvm::CastInst, llvm::CmpInst, llvm::SelectInst>(
        instruction);
}

bool is_exit(const llvm::BasicBlock& block) {
    return llvm::isa<llvm::ReturnInst>(block.getTerminator());
}

}  // namespace

llvm::PreservedAnalyses ExitSinkingPass::run(llvm::Function& function,
                                             llvm::FunctionAnalysisManager&) {
    std::vector<llvm::Instruction*> candidates;
    for (llvm::Instruction& instruction : llvm::instructions(function))
        if (is_movable(instruction) && !is_exit(*instruction.getParent()))
            candidates.push_back(&instruction);
    bool changed = false;
    // What needs a value is moved before what makes it.
    for (auto place = candidates.rbegin(); place != candidates.rend(); ++place) {
        llvm::Instruction& instruction = **place;
        bool only_exits = !instruction.use_empty();
        for (const llvm::User* user : instruction.users()) {
            const auto& by = *llvm::cast<llvm::Instruction>(user);
            only_exits &= !llvm::isa<llvm::PHINode>(by) && is_exit(*by.getParent());
        }
        if (!only_exits) continue;
        std::unordered_map<llvm::BasicBlock*, llvm::Instruction*> copies;
        std::vector<llvm::Use*> uses;
        for (llvm::Use& use : instruction.uses())
            uses.push_back(&use);
        for (llvm::Use* use : uses) {
            llvm::BasicBlock* exit = llvm::cast<llvm::Instruction>(use->getUser())->getParent();
            llvm::Instruction*& copy = copies[exit];
            if (!copy) {
                copy = instruction.clone();
                copy->insertBefore(*exit, exit->getFirstInsertionPt());
            }
            use->set(copy);
        }
        instruction.eraseFromParent();
        changed = true;
    }
    if (!changed) return llvm::PreservedAnalyses::all();
    llvm::PreservedAnalyses preserved;
    preserved.preserveSet<llvm::CFGAnalyses>();
    return preserved;
}

}  // namespace backplane::jit::tier2
