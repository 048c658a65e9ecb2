// The device type cpu.llvmjit: one processor whose hot code is compiled.
#pragma once

#include "interp/processor.h"
#include "jit_counters.h"
#include "observers/debugger_symbols.h"
#include "observers/jit_events.h"
#include "observers/perf_map.h"
#include "tier1/tier1_compiler.h"
#include "tier2/tier2_compiler.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace backplane::jit {

class CompiledProcessor final : public interp::Processor {
public:
    static void declare(Declaration<CompiledProcessor>& d);

    Outcome start();

    // [any]
    using Processor::counter;
    std::uint64_t counter(JitCounter which) const { return tier1_ ? tier1_->counters()[which] : 0; }
    std::uint64_t code_cache_size() const { return code_cache_size_.value; }

    // backplane.reports/1
    std::uint32_t report_count();
    const backplane_report* describe_report(std::uint32_t index);
    backplane_status write_report(std::uint32_t index, const char* argument,
                                  void (*take)(void* user, const char* text, std::uint64_t length),
                                  void* user);

protected:
    std::unique_ptr<interp::Compiler> make_compiler(const x86::CpuModel& model) override;
    std::uint32_t compile_threshold() const override {
        return tier1_threshold_ != 0 ? tier1_threshold_ : tier2_threshold_;
    }

private:
    std::uint32_t tier1_threshold_ = 10, tier2_threshold_ = 0;
    std::uint64_t tier2_instructions_ = 500'000'000;
    bool tier2_keeps_all_ = false;
    Bytes code_cache_size_{std::uint64_t{256} << 20};
    std::uint32_t code_cache_blocks_ = Tier1Compiler::default_blocks;
    bool perf_map_wanted_ = false, debugger_symbols_wanted_ = false;

    JitEvents events_;
    std::optional<PerfMap> perf_map_;
    DebuggerSymbols debugger_symbols_;
    Tier1Compiler* tier1_ = nullptr;  // the processor's compiler, or why it has none:
    std::string no_arena_;
};

}  // namespace backplane::jit
