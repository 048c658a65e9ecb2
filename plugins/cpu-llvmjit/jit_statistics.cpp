#include "jit_statistics.h"

#include "compiled_processor.h"
#include "jit_counters.h"

namespace backplane::jit {

using interp::Counter;

void declare_jit_statistics(Declaration<CompiledProcessor>& d) {
    // Of the compilers, and of executing what they have made.
    const auto compiled = [&](const char* name, JitCounter which, const char* unit,
                              const char* doc) {
        d.counter(name, [which](CompiledProcessor& p) { return p.counter(which); }, unit, doc);
    };
    const auto executed = [&](const char* name, Counter which, const char* unit, const char* doc) {
        d.counter(name, [which](CompiledProcessor& p) { return p.counter(which); }, unit, doc);
    };
    const auto time = [&](const char* name, JitCounter which, const char* doc) {
        d.duration(name, [which](CompiledProcessor& p) { return p.counter(which); }, doc);
    };

    // ---- Compiling ----
    time("jit.tier1.compile_time_total", JitCounter::Tier1Nanoseconds, "Making code of blocks");
    compiled("jit.tier1.blocks_compiled_total", JitCounter::Tier1Blocks, "blocks",
             "Blocks that code was made of");
    executed("jit.tier1.blocks_refused_total", Counter::RefusedBlocks, "blocks",
             "Hot blocks that stay with the interpreter");
    compiled("jit.tier1.guest_instructions_total", JitCounter::Tier1Instructions, "instructions",
             "Of the guest, in compiled blocks");
    compiled("jit.tier1.untranslated_total", JitCounter::Tier1Untranslated, "instructions",
             "Of these, left to the interpreter");
    compiled("jit.tier1.guest_bytes_total", JitCounter::Tier1GuestBytes, "bytes",
             "Of the guest's code, in compiled blocks");
    compiled("jit.tier1.code_bytes_total", JitCounter::Tier1CodeBytes, "bytes",
             "Of the code made of them, as far as it is executed often");
    compiled("jit.tier1.cold_code_bytes_total", JitCounter::Tier1ColdCodeBytes, "bytes",
             "Of what is not: ways out of it and back");
    time("jit.tier2.compile_time_total", JitCounter::Tier2Nanoseconds, "Making code of regions");
    struct Pass {
        const char* name;
        JitCounter time;
        const char* doc;
    };
    static constexpr Pass passes[] = {
        {"jit.tier2.pass.inline.time_total", JitCounter::Tier2InlineNanoseconds,
         "Of that, putting semantics together"},
        {"jit.tier2.pass.sroa.time_total", JitCounter::Tier2SroaNanoseconds,
         "Of that, making values of the guest's registers"},
        {"jit.tier2.pass.cse.time_total", JitCounter::Tier2CseNanoseconds,
         "Of that, finding what is computed twice"},
        {"jit.tier2.pass.const_fold.time_total", JitCounter::Tier2ConstFoldNanoseconds,
         "Of that, folding constants and combining instructions"},
        {"jit.tier2.pass.control_flow.time_total", JitCounter::Tier2ControlFlowNanoseconds,
         "Of that, simplifying branches"},
        {"jit.tier2.pass.licm.time_total", JitCounter::Tier2LicmNanoseconds,
         "Of that, moving what does not change out of loops"},
        {"jit.tier2.pass.dce.time_total", JitCounter::Tier2DceNanoseconds,
         "Of that, eliminating dead code"},
        {"jit.tier2.pass.exit_sinking.time_total", JitCounter::Tier2ExitSinkingNanoseconds,
         "Of that, moving to the ways out what only they need"},
        {"jit.tier2.pass.regalloc.time_total", JitCounter::Tier2RegallocNanoseconds,
         "Of that, allocating registers"},
        {"jit.tier2.pass.codegen.time_total", JitCounter::Tier2CodegenNanoseconds,
         "Of that, all else of making the host's instructions"}};
    for (const Pass& pass : passes)
        time(pass.name, pass.time, pass.doc);
    compiled("jit.tier2.blocks_compiled_total", JitCounter::Tier2Blocks, "blocks",
             "Blocks in regions that code was made of");
    compiled("jit.tier2.kept_total", JitCounter::Tier2Kept, "regions",
             "Whose code was measured to be faster than that of tier 1");
    compiled("jit.tier2.taken_out_total", JitCounter::Tier2TakenOut, "regions",
             "Whose code was not, so that tier 1 executes them again");

    // ---- The code cache ----
    d.gauge(
        "jit.cache.capacity_bytes", [](CompiledProcessor& p) { return p.code_cache_size(); },
        "bytes", "Memory for compiled code");
    d.gauge(
        "jit.cache.used_bytes",
        [](CompiledProcessor& p) { return p.counter(JitCounter::CacheUsed); }, "bytes",
        "Of that, used now");
    d.gauge(
        "jit.cache.blocks", [](CompiledProcessor& p) { return p.counter(JitCounter::CacheBlocks); },
        "blocks", "Blocks that have code there now");
    executed(
        "jit.cache.lookup_hit_total", Counter::CompiledEntries, "lookups",
        "Times that a block was reached from outside of compiled code, and its code was there");
    executed("jit.cache.lookup_miss_total", Counter::CountedExecutions, "lookups",
             "Times that it was not: the block was interpreted, or compiled now");
    d.counter(
        "jit.cache.compile_request_total",
        [](CompiledProcessor& p) {
            return p.counter(JitCounter::Tier1Blocks) + p.counter(Counter::RefusedBlocks);
        },
        "requests", "Blocks that became hot");
    d.counter(
        "jit.cache.install_total",
        [](CompiledProcessor& p) {
            return p.counter(JitCounter::Tier1Blocks) + p.counter(JitCounter::Tier2Blocks);
        },
        "blocks", "Blocks whose code came into the cache");
    compiled("jit.cache.evict_total", JitCounter::CacheEvictions, "blocks",
             "Whose code left it, for room");
    compiled("jit.cache.invalidate_total", JitCounter::CacheInvalidations, "blocks",
             "Whose code left it, as the guest's code or memory map changed");
    compiled("jit.cache.remake_total", JitCounter::CacheRemakes, "blocks",
             "Compiled anew for what is known of their accesses since");
    compiled("jit.cache.stale_install_reject_total", JitCounter::CacheStaleInstalls, "blocks",
             "Whose code never came into it, as the guest's had changed meanwhile");

    // ---- Executing ----
    compiled("jit.deopt_total", JitCounter::Deoptimizations, "events",
             "Returns from tier 2 to a lower one");
    compiled("jit.guard_fail_total", JitCounter::GuardFailures, "events",
             "Assumptions of tier 2 that did not hold");
    executed("jit.resume_total", Counter::CompiledResumes, "entries",
             "Returns to compiled code behind what the interpreter has executed for it");
    const char* exits = "exits";
    executed("jit.exit.untranslated_total", Counter::LeftUntranslated, exits,
             "To the interpreter: the next instruction was not translated");
    executed("jit.exit.access_total", Counter::LeftAccess, exits,
             "To the interpreter: an access is no hit in the first-level TLB, or crosses a page");
    executed("jit.exit.value_total", Counter::LeftValue, exits,
             "To the interpreter: an operand has a value that the code is not made for");
    executed("jit.exit.target_total", Counter::LeftTarget, exits,
             "To the interpreter: the target of an indirect branch is not in the jump cache");
    executed("jit.exit.uncompiled_total", Counter::LeftUncompiled, exits,
             "To the target of an indirect branch, which has no code yet");
    executed("jit.exit.edge_total", Counter::LeftEdge, exits,
             "Along a direct branch, or past a block's end, that is not linked yet");
    executed("jit.exit.registers_total", Counter::LeftRegisters, exits,
             "To the interpreter: the guest may not use its vector or x87 registers as they are");
    executed("jit.exit.budget_total", Counter::LeftBudget, exits,
             "The budget is spent, or attention is wanted");
    executed("jit.vector_load_total", Counter::VectorLoads, "loads",
             "Times that the vector registers were brought into the host's");
    executed("jit.x87_load_total", Counter::X87Loads, "loads",
             "Times that the x87 unit was brought into the host's, and back");
    executed("mmu_translate_calls", Counter::CompiledTranslations, "calls",
             "Accesses of compiled blocks whose page was looked up behind the first-level TLB");
    executed("jit_exit_mmio_calls", Counter::CompiledDeviceAccesses, "accesses",
             "Accesses of compiled blocks to devices in memory");
}

}  // namespace backplane::jit
