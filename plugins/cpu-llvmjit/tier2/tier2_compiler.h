// Tier 2: chooses regions, has them compiled, and puts their code in the place of what executed
// them before, where it is faster.
#pragma once

#include "interp/interpreter.h"
#include "tier1/code_arena.h"
#include "tier1/tier1_compiler.h"
#include "tier2/code_generator.h"
#include "tier2/compile_thread.h"
#include "tier2/hot_spots.h"
#include "tier2/region.h"
#include "tier2/region_builder.h"
#include "tier2/region_linker.h"
#include "tier2/speed.h"
#include "upper_tier.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace backplane::jit {

struct Tier2Settings {
    // Of a block, after which the loop around it is compiled.
    std::uint64_t executions = 1000;
    // That have to be spent there besides.
    std::uint64_t instructions = 500'000'000;
    // There is no tier 1: blocks come here when they are hot, and are compiled at once.
    bool alone = false;
    // Code stays where it is slower than tier 1's, too.
    bool keeps_all = false;
};

class Tier2Compiler final : public UpperTier {
    static constexpr std::size_t largest_region = std::size_t{256} << 10;

public:
    static constexpr std::size_t least_memory = 4 * largest_region;

    Tier2Compiler(const x86::CpuModel& model, const Tier2Settings& settings, CodeArena arena);
    ~Tier2Compiler() override;

    void attach(interp::Interpreter& cpu, Tier1Compiler& tier1) override;
    bool is_alone() const override { return settings_.alone; }
    bool takes(const interp::HotBlock& hot) override;
    void sampled(interp::Block& block) override;
    void dropped(interp::Block& block) override;
    void released() override;
    bool is_full() const override { return arena_.size() - used_ < largest_region; }
    void make_room() override;
    std::size_t used() const override { return used_; }
    bool has_code(const void* host) const override {
        return static_cast<std::size_t>(static_cast<const std::uint8_t*>(host) -
                                        arena_.executable()) < arena_.size();
    }

    std::string summary(const interp::Block& block) const override;
    std::string text(const interp::Block& block) const override;

private:
    struct Installed {
        tier2::Region region;
        tier2::LinkedRegion code;
        // Of the first op of the block that it begins with, before.
        const void* handler = nullptr;
        bool has_tier1 = false;
        // Ticks for an instruction, and what it was before.
        double tier1_ticks = 0;
        tier2::Speed speed{};
        bool is_judged = false;
    };
    // What begins with this block. Null: nothing.
    const Installed* installed_at(const interp::Block& block) const;

    using Job = std::shared_ptr<tier2::CompileJob>;
    struct Pending {
        Job job;
        double tier1_ticks;
    };

    interp::Block& entry_of(const Installed& installed) const {
        return *installed.region.nodes.front().block;
    }
    bool compile_now(const interp::HotBlock& hot);
    void consider(interp::Block& block, tier2::HotSpot& spot);
    void install_finished();
    bool install(const tier2::Region& region, const tier2::RegionObject& object,
                 std::uint64_t nanoseconds, double tier1_ticks);
    void judge(Installed& installed);
    void remove(Installed& installed);
    void tell_released();
    void count_passes(const tier2::PassTimes& times);

    const x86::CpuModel& model_;
    Tier2Settings settings_;
    CodeArena arena_;
    std::size_t used_ = 0;
    interp::Interpreter* cpu_ = nullptr;
    Tier1Compiler* tier1_ = nullptr;
    std::optional<tier2::RegionBuilder> builder_;
    std::optional<tier2::CodeGenerator> generator_;  // of this thread
    std::shared_ptr<tier2::CompileThread> thread_;
    std::vector<Pending> pending_;
    std::unordered_multimap<const interp::Block*, std::shared_ptr<Installed>> by_block_;

    // The last sample.
    tier2::HotSpots spots_;
    std::uint64_t last_ticks_ = 0, last_retired_ = 0, last_page_ = ~std::uint64_t{0};
};

}  // namespace backplane::jit
