#include "tier2/pass_pipeline.h"

#include "tier2/exit_sinking.h"

#include <llvm/Analysis/AliasAnalysis.h>
#include <llvm/Analysis/BasicAliasAnalysis.h>
#include <llvm/Passes/PassBuilder.h>
#include <llvm/Passes/StandardInstrumentations.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/ADCE.h>
#include <llvm/Transforms/Scalar/DeadStoreElimination.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/GVN.h>
#include <llvm/Transforms/Scalar/JumpThreading.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/SCCP.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>

#include <chrono>
#include <vector>

namespace backplane::jit::tier2 {
namespace {

using clock = std::chrono::steady_clock;

// Passes run within others (adaptors, loop passes): what is inside is taken off what is outside.
class Stopwatch {
public:
    Stopwatch(llvm::PassInstrumentationCallbacks& callbacks, PassTimes& times) : times_{times} {
        callbacks.registerBeforeNonSkippedPassCallback(
            [this](llvm::StringRef, const llvm::Any&) { begin(); });
        callbacks.registerAfterPassCallback([this](llvm::StringRef name, const llvm::Any&,
                                                   const llvm::PreservedAnalyses&) { end(name); });
        callbacks.registerAfterPassInvalidatedCallback(
            [this](llvm::StringRef name, const llvm::PreservedAnalyses&) { end(name); });
    }

private:
    void begin() { running_.push_back({clock::now(), {}}); }

    void end(llvm::StringRef name) {
        const auto taken = clock::now() - running_.back().began;
        const auto inside = running_.back().inside;
        running_.pop_back();
        if (!running_.empty()) running_.back().inside += taken;
        const std::chrono::nanoseconds own = taken - inside;
        times_[name.str()] += static_cast<std::uint64_t>(own.count());
    }

    struct Running {
        clock::time_point began;
        clock::duration inside;
    };

    PassTimes& times_;
    std::vector<Running> running_;
};

}  // namespace

// What did best in measurements: no more than this pays for itself.
void optimize(llvm::Module& module, llvm::TargetMachine& target, PassTimes& times) {
    llvm::PassInstrumentationCallbacks callbacks;
    const Stopwatch stopwatch{callbacks, times};
    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::CGSCCAnalysisManager components;
    llvm::ModuleAnalysisManager modules;
    llvm::PassBuilder builder{&target, llvm::PipelineTuningOptions{}, std::nullopt, &callbacks};
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(components);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, components, modules);

    llvm::FunctionPassManager passes;
    passes.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
    passes.addPass(llvm::EarlyCSEPass(true));
    passes.addPass(llvm::SimplifyCFGPass());
    passes.addPass(llvm::InstCombinePass());
    passes.addPass(llvm::SCCPPass());
    passes.addPass(llvm::JumpThreadingPass());
    passes.addPass(llvm::GVNPass());
    passes.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::LICMPass(llvm::LICMOptions{}),
                                                         /*UseMemorySSA=*/true));
    passes.addPass(llvm::DSEPass());
    passes.addPass(llvm::InstCombinePass());
    passes.addPass(ExitSinkingPass());
    passes.addPass(llvm::ADCEPass());
    passes.addPass(llvm::SimplifyCFGPass());
    llvm::ModulePassManager all;
    all.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(passes)));
    all.run(module, modules);
}

}  // namespace backplane::jit::tier2
