#include "compiled_processor.h"

#include "interp/processor_declaration.h"
#include "jit_statistics.h"
#include "reports/block_report.h"
#include "reports/untranslated_report.h"

#include <utility>

namespace backplane::jit {

void CompiledProcessor::declare(Declaration<CompiledProcessor>& d) {
    d.type("cpu.llvmjit", "Processor whose hot code is compiled");
    interp::declare_processor(d);
    d.property(
         "tier1-threshold", &CompiledProcessor::tier1_threshold_,
         "Executions after which a block is compiled, at the latest after as many again; 0: tier 1 "
         "compiles none")
        .range(0u, 1'000'000u);
    d.property("tier2-threshold", &CompiledProcessor::tier2_threshold_,
               "Executions after which the loop that a block is in is compiled by LLVM, as far as "
               "samples tell; 0: none is. Without tier 1 they are counted, and each block is "
               "compiled, loop or not")
        .range(0u, 1'000'000'000u);
    d.property("tier2-instructions", &CompiledProcessor::tier2_instructions_,
               "Instructions that have to be spent around it besides");
    d.property("tier2-keeps-all", &CompiledProcessor::tier2_keeps_all_,
               "Use what LLVM has compiled where it was measured to be slower than tier 1, too");
    d.property("code-cache-size", &CompiledProcessor::code_cache_size_,
               "Host memory for compiled code; the oldest quarter is dropped when this is full")
        .range(Bytes{std::uint64_t{256} << 10}, Bytes{std::uint64_t{1} << 30});
    d.property("code-cache-blocks", &CompiledProcessor::code_cache_blocks_,
               "Blocks that code is kept of at most; the oldest quarter is dropped likewise")
        .range(100u, 10'000'000u);
    d.property("perf-map", &CompiledProcessor::perf_map_wanted_,
               "Write /tmp/perf-PID.map, from which perf names compiled code");
    d.property("gdb-jit", &CompiledProcessor::debugger_symbols_wanted_,
               "Tell a GDB that debugs this program what compiled code is");
    declare_jit_statistics(d);
    d.publishes([](CompiledProcessor& p) -> auto& { return p.events_.compiled; });
    d.publishes([](CompiledProcessor& p) -> auto& { return p.events_.invalidations; });
    d.publishes([](CompiledProcessor& p) -> auto& { return p.events_.releases; });
    static constexpr backplane_reports reports{
        sizeof(backplane_reports), 0, thunk<&CompiledProcessor::report_count>,
        thunk<&CompiledProcessor::describe_report>, thunk<&CompiledProcessor::write_report>};
    d.provides("reports", reports, "What was compiled, as text");
}

Outcome CompiledProcessor::start() {
    if (Outcome started = Processor::start(); !started) return started;
    if (!tier1_) return std::unexpected{no_arena_};
    tier1_->watch(events_);
    if (debugger_symbols_wanted_) tier1_->watch(debugger_symbols_);
    if (!perf_map_wanted_) return {};
    auto map = PerfMap::open();
    if (!map) return std::unexpected{"perf-map: " + map.error()};
    tier1_->watch(perf_map_.emplace(std::move(*map)));
    return {};
}

std::unique_ptr<interp::Compiler> CompiledProcessor::make_compiler(const x86::CpuModel& model) {
    if (tier1_threshold_ == 0 && tier2_threshold_ == 0) {
        no_arena_ = "tier1-threshold and tier2-threshold are both 0: nothing would be compiled";
        return nullptr;
    }
    // Most of what executes is code of tier 1. In little memory all of it is.
    const std::size_t quarter = code_cache_size_.value / 4;
    const bool has_room = quarter >= Tier2Compiler::least_memory;
    const std::size_t upper_size = tier2_threshold_ != 0 && has_room ? quarter : 0;
    auto arena = CodeArena::make(code_cache_size_.value - upper_size);
    std::unique_ptr<UpperTier> upper;
    if (arena && upper_size != 0) {
        auto upper_arena = CodeArena::make(upper_size);
        if (upper_arena)
            upper = std::make_unique<Tier2Compiler>(
                model,
                Tier2Settings{.executions = tier2_threshold_,
                              .instructions = tier2_instructions_,
                              .alone = tier1_threshold_ == 0,
                              .keeps_all = tier2_keeps_all_},
                std::move(*upper_arena));
        else
            arena = std::unexpected{std::move(upper_arena.error())};
    }
    if (!arena) {
        no_arena_ = std::move(arena.error());
        return nullptr;
    }
    auto compiler = std::make_unique<Tier1Compiler>(model, std::move(*arena), code_cache_blocks_,
                                                    std::move(upper));
    tier1_ = compiler.get();
    return compiler;
}

// ---- Reports ----

namespace {

constexpr backplane_report reports[]{
    {.struct_size = sizeof(backplane_report),
     .reserved = 0,
     .name = "jit-block",
     .argument = "ADDRESS",
     .doc = "Guest code, and the code made of it by each tier, of the blocks at a linear address "
            "(the next instruction's by default), at physical:ADDRESS, or with the host's code at "
            "host:ADDRESS"},
    {.struct_size = sizeof(backplane_report),
     .reserved = 0,
     .name = "jit-untranslated",
     .argument = "",
     .doc = "Instructions that compiled code leaves to the interpreter"},
};

}  // namespace

std::uint32_t CompiledProcessor::report_count() { return std::size(reports); }

const backplane_report* CompiledProcessor::describe_report(std::uint32_t index) {
    return index < std::size(reports) ? &reports[index] : nullptr;
}

backplane_status CompiledProcessor::write_report(std::uint32_t index, const char* argument,
                                                 void (*take)(void*, const char*, std::uint64_t),
                                                 void* user) {
    const Report report = index == 0 ? block_report(*tier1_, argument)
                                     : untranslated_report(tier1_->untranslated());
    const std::string& text = report ? *report : report.error();
    take(user, text.data(), text.size());
    return report ? BACKPLANE_OK : BACKPLANE_FAILED;
}

}  // namespace backplane::jit
