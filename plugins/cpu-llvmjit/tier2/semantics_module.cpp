#include "tier2/semantics_module.h"

#include "tier2/semantics_bitcode.h"
#include "x86/fault.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/MemoryBuffer.h>

#include <utility>

namespace backplane::jit::tier2 {
namespace {

// Of the variables that pair the type of a form with its function (semantics/bitcode.h).
constexpr llvm::StringRef entry_prefix = "_ZN9backplane3jit5tier210form_entryI",
                          type_prefix = "_ZTI";

// Whether control comes behind the instruction, or to its target, or the instruction did nothing:
// there is no way on from the others here.
bool is_simple_outcome(const llvm::Value* value, unsigned depth = 0) {
    if (const auto* constant = llvm::dyn_cast<llvm::ConstantInt>(value)) {
        const auto outcome = static_cast<x86::Outcome>(constant->getZExtValue());
        return outcome == x86::Outcome::Next || outcome == x86::Outcome::Jump ||
               outcome == x86::Outcome::Fault;
    }
    if (depth == 4) return false;
    if (const auto* phi = llvm::dyn_cast<llvm::PHINode>(value)) {
        for (const llvm::Value* incoming : phi->incoming_values())
            if (!is_simple_outcome(incoming, depth + 1)) return false;
        return true;
    }
    const auto* select = llvm::dyn_cast<llvm::SelectInst>(value);
    return select && is_simple_outcome(select->getTrueValue(), depth + 1) &&
           is_simple_outcome(select->getFalseValue(), depth + 1);
}

bool refers_to_variable(const llvm::Value* value) {
    if (llvm::isa<llvm::GlobalVariable>(value)) return true;
    const auto* expression = llvm::dyn_cast<llvm::ConstantExpr>(value);
    if (!expression) return false;
    for (const llvm::Use& operand : expression->operands())
        if (refers_to_variable(operand.get())) return true;
    return false;
}

// LLVM 19 may put an instruction that changes the flags between assembly that gives them and what
// uses them as a carry. So they are taken into registers at once.
void take_flags(llvm::CallInst& call) {
    const auto& assembly = *llvm::cast<llvm::InlineAsm>(call.getCalledOperand());
    std::string text = assembly.getAsmString(), constraints = assembly.getConstraintString();
    const std::string flag = "={@cc";
    if (constraints.find(flag) == std::string::npos) return;
    unsigned output = 0;
    for (std::size_t at = constraints.find(flag); at != std::string::npos;
         at = constraints.find(flag), ++output) {
        const std::size_t end = constraints.find('}', at);
        const std::string condition = constraints.substr(at + flag.size(), end - at - flag.size());
        constraints.replace(at, end + 1 - at, "=&q");
        text += "\n\tset" + condition + " $" + std::to_string(output);
    }
    call.setCalledOperand(llvm::InlineAsm::get(assembly.getFunctionType(), text, constraints,
                                               assembly.hasSideEffects()));
}

}  // namespace

SemanticsModule::SemanticsModule(std::string cpu, std::string features)
    : cpu_{std::move(cpu)}, features_{std::move(features)} {
    const llvm::MemoryBufferRef bitcode{semantics_bitcode(), "semantics"};
    auto module = llvm::getLazyBitcodeModule(bitcode, context_);
    // It is part of this program.
    if (!module) llvm::report_fatal_error(module.takeError());
    module_ = std::move(*module);
    for (const llvm::GlobalVariable& variable : module_->globals()) {
        if (!variable.getName().starts_with(entry_prefix)) continue;
        const auto* entry = llvm::cast<llvm::ConstantStruct>(variable.getInitializer());
        const auto* type = llvm::cast<llvm::GlobalValue>(entry->getOperand(0));
        llvm::StringRef name = type->getName();
        name.consume_front(type_prefix);
        forms_.emplace(std::string_view{name.data(), name.size()},
                       llvm::cast<llvm::Function>(entry->getOperand(1)));
    }
}

void SemanticsModule::set_target(llvm::Function& function) const {
    function.addFnAttr("target-cpu", cpu_);
    function.addFnAttr("target-features", features_);
}

llvm::Function* SemanticsModule::function(std::string_view form) {
    const auto found = forms_.find(form);
    if (found == forms_.end() || !found->second) return nullptr;
    llvm::Function& function = *found->second;
    if (!ready_.contains(&function)) {
        if (!prepare(function)) return found->second = nullptr;
        ready_.insert(&function);
    }
    return &function;
}

bool SemanticsModule::prepare(llvm::Function& function) {
    if (llvm::Error error = function.materialize()) llvm::report_fatal_error(std::move(error));
    set_target(function);
    function.removeFnAttr("tune-cpu");
    function.removeFnAttr("min-legal-vector-width");
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
        // What is left are the weights of branches.
        instruction.dropUnknownNonDebugMetadata({llvm::LLVMContext::MD_prof});
        for (const llvm::Use& operand : instruction.operands())
            if (refers_to_variable(operand.get())) return false;
        if (auto* ret = llvm::dyn_cast<llvm::ReturnInst>(&instruction))
            if (!is_simple_outcome(ret->getReturnValue())) return false;
        auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
        if (!call || llvm::isa<llvm::IntrinsicInst>(call)) continue;
        const auto* assembly = llvm::dyn_cast<llvm::InlineAsm>(call->getCalledOperand());
        if (!assembly) return false;
        take_flags(*call);
        assembly = llvm::cast<llvm::InlineAsm>(call->getCalledOperand());
        // `volatile` keeps them in order; but they touch no memory of the guest's.
        if (assembly->hasSideEffects() &&
            assembly->getConstraintString().find("~{memory}") == std::string::npos)
            call->setMemoryEffects(llvm::MemoryEffects::inaccessibleMemOnly());
        for (const llvm::Use& operand : call->args())
            if (operand->getType()->isPointerTy()) return false;
    }
    return true;
}

}  // namespace backplane::jit::tier2
