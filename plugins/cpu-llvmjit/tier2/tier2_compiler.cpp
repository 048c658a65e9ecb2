#include "tier2/tier2_compiler.h"

#include "tier2/disassembly.h"
#include "x86/guest_floating_point.h"
#include "x86/paging.h"

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <sstream>
#include <utility>

namespace backplane::jit {

using interp::Block;
using tier2::Region, tier2::RegionNode;

namespace {

constexpr std::size_t alignment = 64;
constexpr std::size_t most_pending = 4;

// Of tier 1's time, at most.
constexpr double worth_keeping = 0.97;

constexpr tier2::RegionLimits loops{.instructions = 500, .nodes = 64, .loops_only = true};
// Alone it takes whatever it is given, which should not take long.
constexpr tier2::RegionLimits anything{.instructions = 200, .nodes = 8, .loops_only = false};

}  // namespace

Tier2Compiler::Tier2Compiler(const x86::CpuModel& model, const Tier2Settings& settings,
                             CodeArena arena)
    : model_{model}, settings_{settings}, arena_{std::move(arena)} {}

Tier2Compiler::~Tier2Compiler() {
    for (const Pending& pending : pending_)
        pending.job->is_wanted = false;
}

void Tier2Compiler::attach(interp::Interpreter& cpu, Tier1Compiler& tier1) {
    cpu_ = &cpu;
    tier1_ = &tier1;
    builder_.emplace(model_, tier1.decoder());
}

// ---- Choosing ----

bool Tier2Compiler::takes(const interp::HotBlock& hot) { return compile_now(hot); }

void Tier2Compiler::sampled(Block& block) {
    tier1_->publish_counters();
    if (settings_.alone) return;
    const x86::HostFloatingPoint host;
    const std::uint64_t ticks = tier2::host_ticks(), retired = cpu_->kept().retired;
    const std::uint64_t page = block.physical & ~x86::page_offset_mask;
    // A snapshot may have taken the count back.
    const std::uint64_t instructions = retired - std::min(retired, last_retired_);
    const bool is_in_page = page == std::exchange(last_page_, page);
    const std::uint64_t taken = ticks - std::exchange(last_ticks_, ticks);
    last_retired_ = retired;

    if (!pending_.empty()) install_finished();
    const auto found = by_block_.find(&block);
    if (found != by_block_.end()) {
        const std::shared_ptr<Installed> installed = found->second;
        if (!is_in_page || installed->is_judged) return;
        installed->speed.add(taken, instructions);
        if (installed->speed.is_known()) judge(*installed);
        return;
    }
    tier2::HotSpot& spot = spots_[block];
    if (spot.is_settled) return;
    spot.instructions += instructions;
    if (is_in_page) spot.speed.add(taken, instructions);
    const std::uint64_t executions = spot.instructions / block.instruction_count;
    if (executions < settings_.executions || spot.instructions < settings_.instructions) return;
    if (spot.speed.is_known() || settings_.keeps_all) consider(block, spot);
}

// The slices that ended in front of a block were spent in the loop that it is in, so that any of
// its blocks may be where the region is entered.
void Tier2Compiler::consider(Block& block, tier2::HotSpot& spot) {
    if (pending_.size() == most_pending || is_full()) return;
    const auto is_hot = [](const Block& other) { return other.is_compiled(); };
    spot.is_settled = true;
    auto region = builder_->build(*cpu_, block, loops, is_hot);
    if (!region) return;
    region->linear = cpu_->linear_of(cpu_->state.block_ip);
    for (const RegionNode& node : region->nodes)
        spots_[*node.block].is_settled = true;
    if (!thread_) thread_ = tier2::CompileThread::shared();
    auto job = std::make_shared<tier2::CompileJob>(std::move(*region));
    pending_.push_back({job, spot.speed.is_known() ? spot.speed.ticks() : 0});
    thread_->add(std::move(job));
}

void Tier2Compiler::install_finished() {
    const auto is_done = [](const Pending& pending) {
        return pending.job->is_done.load(std::memory_order_acquire);
    };
    for (auto place = pending_.begin(); place != pending_.end();) {
        if (!is_done(*place)) {
            ++place;
            continue;
        }
        const Pending pending = *place;
        place = pending_.erase(place);
        if (pending.job->object)
            install(pending.job->region, *pending.job->object, pending.job->nanoseconds,
                    pending.tier1_ticks);
    }
}

bool Tier2Compiler::compile_now(const interp::HotBlock& hot) {
    const x86::HostFloatingPoint host;  // LLVM computes with it
    const auto began = std::chrono::steady_clock::now();
    if (is_full()) return false;
    const auto is_hot = [](const Block& other) { return other.is_compiled(); };
    auto region = builder_->build(*cpu_, *hot.block, anything, is_hot);
    if (!region) return false;
    region->linear = hot.linear;
    if (!generator_) generator_.emplace();
    const auto object = generator_->generate(*region);
    const std::chrono::nanoseconds taken = std::chrono::steady_clock::now() - began;
    return object && install(*region, *object, static_cast<std::uint64_t>(taken.count()), 0);
}

// ---- Code that is there ----

bool Tier2Compiler::install(const Region& region, const tier2::RegionObject& object,
                            std::uint64_t nanoseconds, double tier1_ticks) {
    const x86::HostFloatingPoint host;
    JitCounters& counters = tier1_->own_counters();
    counters.count(JitCounter::Tier2Nanoseconds, nanoseconds);
    count_passes(object.times);
    Block& block = *region.nodes.front().block;
    used_ = (used_ + alignment - 1) & ~(alignment - 1);
    const auto code = tier2::link_region({object.bytes.data(), object.bytes.size()},
                                         arena_.writable() + used_, arena_.executable() + used_,
                                         arena_.size() - used_);
    if (!code) return false;
    const bool has_tier1 = block.is_compiled();
    auto installed = std::make_shared<Installed>(Installed{.region = region,
                                                           .code = *code,
                                                           .handler = block.ops()->handler,
                                                           .has_tier1 = has_tier1,
                                                           .tier1_ticks = tier1_ticks});
    if (!(has_tier1 ? tier1_->redirect(*static_cast<NativeBlock*>(block.compiled))
                    : tier1_->keep(block)))
        return false;
    used_ += code->bytes;
    installed->is_judged = tier1_ticks == 0 || settings_.keeps_all;
    block.ops()->handler = code->entry;
    std::size_t bytes = 0;
    for (const RegionNode& node : region.nodes) {
        by_block_.emplace(node.block, installed);
        bytes += node.next - node.offset;
    }
    counters.count(JitCounter::Tier2Blocks, region.nodes.size());
    tier1_->publish_counters();
    for (CodeWatcher* watcher : tier1_->watchers())
        watcher->installed({.start = code->start,
                            .bytes = code->bytes,
                            .cold_start = nullptr,
                            .cold_bytes = 0,
                            .tier = 2,
                            .linear = region.linear,
                            .physical = block.physical,
                            .guest_bytes = bytes,
                            .instructions = region.instruction_count(),
                            .untranslated = 0,
                            .nanoseconds = nanoseconds});
    return true;
}

void Tier2Compiler::judge(Installed& installed) {
    installed.is_judged = true;
    const bool is_faster = installed.speed.ticks() < worth_keeping * installed.tier1_ticks;
    JitCounters& counters = tier1_->own_counters();
    counters.count(is_faster ? JitCounter::Tier2Kept : JitCounter::Tier2TakenOut);
    if (!is_faster) remove(installed);
}

// Its entry is as it was before.
void Tier2Compiler::remove(Installed& installed) {
    Block& block = entry_of(installed);
    for (const RegionNode& node : installed.region.nodes) {
        const auto [first, last] = by_block_.equal_range(node.block);
        const auto found = std::find_if(
            first, last, [&](const auto& entry) { return entry.second.get() == &installed; });
        if (found != last) by_block_.erase(found);
    }
    if (!block.valid) return;
    block.ops()->handler = installed.handler;
    if (installed.has_tier1) tier1_->restore(*static_cast<NativeBlock*>(block.compiled));
}

void Tier2Compiler::dropped(Block& block) {
    spots_.forget(block);
    std::erase_if(pending_, [&](const Pending& pending) {
        const bool has_it = std::ranges::any_of(
            pending.job->region.nodes,
            [&](const RegionNode& node) { return node.block == &block; });
        if (!has_it) return false;
        pending.job->is_wanted = false;
        tier1_->own_counters().count(JitCounter::CacheStaleInstalls);
        return true;
    });
    for (auto found = by_block_.find(&block); found != by_block_.end();
         found = by_block_.find(&block)) {
        const std::shared_ptr<Installed> installed = found->second;
        remove(*installed);
        const x86::HostFloatingPoint host;
        for (CodeWatcher* watcher : tier1_->watchers())
            watcher->invalidated(entry_of(*installed).physical, 2);
    }
}

void Tier2Compiler::make_room() {
    while (!by_block_.empty()) {
        const std::shared_ptr<Installed> installed = by_block_.begin()->second;
        remove(*installed);
    }
    tell_released();
    used_ = 0;
    spots_.clear();
}

void Tier2Compiler::tell_released() {
    const x86::HostFloatingPoint host;
    for (CodeWatcher* watcher : tier1_->watchers())
        watcher->released({.start = arena_.executable(),
                           .bytes = used_,
                           .cold_start = arena_.executable(),
                           .cold_bytes = 0});
}

void Tier2Compiler::released() {
    if (used_ != 0) tell_released();
    for (const Pending& pending : pending_)
        pending.job->is_wanted = false;
    pending_.clear();
    by_block_.clear();
    spots_.clear();
    used_ = 0;
}

const Tier2Compiler::Installed* Tier2Compiler::installed_at(const Block& block) const {
    const auto [first, last] = by_block_.equal_range(&block);
    for (auto place = first; place != last; ++place)
        if (&entry_of(*place->second) == &block) return place->second.get();
    return nullptr;
}

// ---- For people ----

std::string Tier2Compiler::summary(const Block& block) const {
    const Installed* installed = installed_at(block);
    if (!installed && by_block_.contains(&block)) return "part of a region that begins elsewhere";
    if (!installed) return "not compiled";
    std::ostringstream text;
    text << installed->region.instruction_count() << " instructions of "
         << installed->region.nodes.size() << " blocks, " << installed->code.bytes << " bytes at "
         << static_cast<const void*>(installed->code.start);
    if (installed->speed.is_known())
        text << "; an instruction takes " << std::fixed << std::setprecision(2)
             << installed->speed.ticks() << " ticks of the host's clock, in tier 1 "
             << installed->tier1_ticks;
    return text.str();
}

// The representation is made again: all that it was made of is kept.
std::string Tier2Compiler::text(const Block& block) const {
    const Installed* installed = installed_at(block);
    if (!installed) return {};
    const x86::HostFloatingPoint host;
    std::string representation;
    tier2::CodeGenerator{}.generate(installed->region, &representation);
    const std::size_t start = std::min(representation.find("define "), representation.size());
    const std::size_t end = std::min(representation.find("\n}", start), representation.size());
    return "tier 2, LLVM's representation:\n" + representation.substr(start, end - start) +
           "\n}\n\ntier 2, code:\n" +
           tier2::disassembly({installed->code.start, installed->code.bytes});
}

// By what the passes are for.
void Tier2Compiler::count_passes(const tier2::PassTimes& times) {
    struct Purpose {
        std::string_view pass;
        JitCounter counter;
    };
    static constexpr Purpose purposes[] = {
        {"inline", JitCounter::Tier2InlineNanoseconds},
        {"SROAPass", JitCounter::Tier2SroaNanoseconds},
        {"EarlyCSEPass", JitCounter::Tier2CseNanoseconds},
        {"GVNPass", JitCounter::Tier2CseNanoseconds},
        {"InstCombinePass", JitCounter::Tier2ConstFoldNanoseconds},
        {"SCCPPass", JitCounter::Tier2ConstFoldNanoseconds},
        {"SimplifyCFGPass", JitCounter::Tier2ControlFlowNanoseconds},
        {"JumpThreadingPass", JitCounter::Tier2ControlFlowNanoseconds},
        {"LICMPass", JitCounter::Tier2LicmNanoseconds},
        {"LoopSimplifyPass", JitCounter::Tier2LicmNanoseconds},
        {"LCSSAPass", JitCounter::Tier2LicmNanoseconds},
        {"DSEPass", JitCounter::Tier2DceNanoseconds},
        {"ADCEPass", JitCounter::Tier2DceNanoseconds},
        {"ExitSinkingPass", JitCounter::Tier2ExitSinkingNanoseconds},
        {"regalloc", JitCounter::Tier2RegallocNanoseconds},
        {"codegen", JitCounter::Tier2CodegenNanoseconds},
    };
    for (const Purpose& purpose : purposes)
        for (const auto& [name, nanoseconds] : times)
            if (name == purpose.pass || name.ends_with("::" + std::string{purpose.pass}))
                tier1_->own_counters().count(purpose.counter, nanoseconds);
}

}  // namespace backplane::jit
