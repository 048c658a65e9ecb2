#include "tier2/code_generator.h"

#include "tier2/region_function.h"

#include <llvm/ADT/StringMap.h>
#include <llvm/CodeGen/MachineFunctionPass.h>
#include <llvm/CodeGen/MachineModuleInfo.h>
#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>

#include <chrono>

namespace backplane::jit::tier2 {
namespace {

using clock = std::chrono::steady_clock;

// What LLVM remembers of earlier regions (constants, types) is forgotten after so many.
constexpr unsigned regions_per_context = 2000;

std::string host_features() {
    std::string features;
    for (const auto& feature : llvm::sys::getHostCPUFeatures()) {
        if (!features.empty()) features += ',';
        features += feature.second ? '+' : '-';
        features += feature.first();
    }
    return features;
}

// LLVM 19 widens a load of 8 or 16 bits into a part of a register also where the rest of the
// register is needed, if the address is in it (X86FixupBWInsts; MOV DI, [RDI]).
void do_without_wider_loads() {
    auto& options = llvm::cl::getRegisteredOptions();
    const auto found = options.find("fixup-byte-word-insts");
    if (found != options.end()) static_cast<llvm::cl::opt<bool>*>(found->second)->setValue(false);
}

std::unique_ptr<llvm::TargetMachine> make_target() {
    static const bool initialized = [] {
        llvm::InitializeNativeTarget();
        llvm::InitializeNativeTargetAsmPrinter();
        llvm::InitializeNativeTargetAsmParser();
        do_without_wider_loads();
        return true;
    }();
    (void)initialized;
    const std::string triple = llvm::sys::getProcessTriple();
    std::string error;
    const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
    if (!target) llvm::report_fatal_error(llvm::StringRef{error});
    return std::unique_ptr<llvm::TargetMachine>{target->createTargetMachine(
        triple, llvm::sys::getHostCPUName(), host_features(), llvm::TargetOptions{},
        llvm::Reloc::PIC_, llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default, true)};
}

// Notes when it is run.
class Mark final : public llvm::MachineFunctionPass {
public:
    explicit Mark(clock::time_point& when) : MachineFunctionPass{id}, when_{when} {}

    bool runOnMachineFunction(llvm::MachineFunction&) override {
        when_ = clock::now();
        return false;
    }
    void getAnalysisUsage(llvm::AnalysisUsage& usage) const override {
        usage.setPreservesAll();
        MachineFunctionPass::getAnalysisUsage(usage);
    }
    llvm::StringRef getPassName() const override { return "Mark"; }

private:
    static inline char id = 0;
    clock::time_point& when_;
};

// As LLVMTargetMachine::addPassesToEmitFile does, with a look at the clock around the allocation of
// registers.
void emit_object(llvm::Module& module, llvm::LLVMTargetMachine& target, RegionObject& object) {
    llvm::raw_svector_ostream stream{object.bytes};
    clock::time_point before, behind;
    llvm::legacy::PassManager passes;
    auto* modules = new llvm::MachineModuleInfoWrapperPass(&target);
    llvm::TargetPassConfig* config = target.createPassConfig(passes);
    config->setDisableVerify(true);
    passes.add(config);
    passes.add(modules);
    config->insertPass(&llvm::MachineSchedulerID, new Mark(before));
    config->insertPass(&llvm::VirtRegRewriterID, new Mark(behind));
    bool failed = config->addISelPasses();
    config->addMachinePasses();
    config->setInitialized();
    failed |= target.addAsmPrinter(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile,
                                   modules->getMMI().getContext());
    if (failed) llvm::report_fatal_error("this host's code cannot be generated");
    passes.add(llvm::createFreeMachineFunctionPass());
    passes.run(module);
    const std::chrono::nanoseconds taken = behind - before;
    object.times["regalloc"] += static_cast<std::uint64_t>(taken.count());
}

}  // namespace

CodeGenerator::CodeGenerator() : target_{make_target()} {}
CodeGenerator::~CodeGenerator() = default;

std::optional<RegionObject> CodeGenerator::generate(const Region& region, std::string* text) {
    if (!semantics_ || generated_++ % regions_per_context == 0)
        semantics_ = std::make_unique<SemanticsModule>(target_->getTargetCPU().str(),
                                                       target_->getTargetFeatureString().str());
    RegionObject object;
    auto began = clock::now();
    const auto lap = [&](const char* name) {
        const auto now = clock::now();
        const std::chrono::nanoseconds taken = now - began;
        object.times[name] += static_cast<std::uint64_t>(taken.count());
        began = now;
    };
    const auto module = make_region_module(*semantics_, region);
    if (!module) return std::nullopt;
    lap("inline");
    optimize(*module, *target_, object.times);
    if (text) {
        llvm::raw_string_ostream stream{*text};
        module->print(stream, nullptr);
    }
    began = clock::now();
    emit_object(*module, static_cast<llvm::LLVMTargetMachine&>(*target_), object);
    lap("codegen");
    object.times["codegen"] -= object.times["regalloc"];
    return object;
}

}  // namespace backplane::jit::tier2
