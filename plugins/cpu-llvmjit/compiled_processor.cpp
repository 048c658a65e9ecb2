#include "compiled_processor.h"

#include "interp/processor_declaration.h"
#include "tier1/tier1_compiler.h"

#include <utility>

namespace backplane::jit {

void CompiledProcessor::declare(Declaration<CompiledProcessor>& d) {
    d.type("cpu.llvmjit", "Processor whose hot code is compiled");
    interp::declare_processor(d);
    d.property("tier1-threshold", &CompiledProcessor::tier1_threshold_,
               "Executions after which a block is compiled")
        .range(1u, 1'000'000u);
    d.property("code-cache-size", &CompiledProcessor::code_cache_size_,
               "Host memory for compiled code; it starts over when this is full")
        .range(Bytes{std::uint64_t{1} << 20}, Bytes{std::uint64_t{1} << 30});
}

std::unique_ptr<interp::Compiler> CompiledProcessor::make_compiler(const x86::CpuModel& model) {
    auto arena = CodeArena::make(code_cache_size_.value);
    if (!arena) return nullptr;
    return std::make_unique<Tier1Compiler>(model, std::move(*arena));
}

}  // namespace backplane::jit
