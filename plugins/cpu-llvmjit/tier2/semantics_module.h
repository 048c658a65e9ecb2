// The semantics as LLVM has them: read from the bitcode that is part of this program, each function
// when it is first asked for.
#pragma once

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace backplane::jit::tier2 {

class SemanticsModule {
public:
    // The host's processor, as LLVM names it: all code is made for it.
    SemanticsModule(std::string cpu, std::string features);

    llvm::Module& module() { return *module_; }

    // The function of this form (Form::name), ready to be inlined. Null: it is not covered.
    llvm::Function* function(std::string_view form);
    // What functions need to be inlined into each other.
    void set_target(llvm::Function& function) const;

private:
    bool prepare(llvm::Function& function);

    std::string cpu_, features_;
    llvm::LLVMContext context_;
    std::unique_ptr<llvm::Module> module_;
    std::unordered_map<std::string_view, llvm::Function*> forms_;
    std::unordered_set<const llvm::Function*> ready_;
};

}  // namespace backplane::jit::tier2
