// XSAVE, XRSTOR and what goes with them: images against the processor, and the rules of XCR0.
#include "x86/avx_comparison.h"
#include "x86/cpuid.h"
#include "x86/host_features.h"

#include <cpuid.h>
#include <gtest/gtest.h>

namespace backplane::x86::testing {
namespace {

using Masks = FpValues::Masks;
using Tags = FpValues::Tags;
using Area = std::array<std::uint8_t, FpComparison::memory_size>;

// Bit of leaf 0DH, subleaf 1, EAX.
bool host_has_xsave(Feature feature) {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return host_features().has(Feature::Avx) && __get_cpuid_count(0xd, 1, &a, &b, &c, &d) &&
           (a >> static_cast<unsigned>(feature) % 32 & 1);
}

constexpr std::uint8_t xsave = 0x26, xsaveopt = 0x36, xrstor = 0x2e;  // 0F AE /4, /6, /5 at RSI

// MXCSR_MASK tells what the processor's MXCSR has.
constexpr Ignored mxcsr_mask{.memory_from = 28, .memory_size = 4};

class Xsave : public ::testing::Test {
protected:
    FpValues values{13};

    // The x87 unit is sometimes in its initial configuration; its pointers, which some processors
    // keep only beside an exception, are always zero. The vector registers are never all zero, as
    // processors may take those for in use (SDM 1 13.6).
    FpState state() {
        FpState made = values.state(Masks::AllSet, Tags::Random);
        made.last_opcode = 0;
        made.last_instruction = made.last_data = 0;
        if (values.one_in(2)) {
            made.control = 0x37f;
            made.status = 0;
            made.valid = 0;
            made.st = {};
        }
        made.xmm[values.below(16)][values.below(2)] |= 1;
        made.ymm_high[values.below(16)][values.below(2)] |= 1;
        if (values.one_in(2)) made.mxcsr = 0x1f80;
        made.rax = values.below(8);
        made.rdx = 0;
        return made;
    }

    Area random_area() {
        Area area;
        for (std::uint8_t& byte : area)
            byte = static_cast<std::uint8_t>(values.bits());
        return area;
    }

    void set(Area& area, std::size_t offset, auto value) {
        std::memcpy(area.data() + offset, &value, sizeof value);
    }

    // A valid image in either format.
    Area image(bool compacted) {
        Area area = random_area();
        const std::uint64_t components = values.below(8);
        const std::uint64_t present = values.below(8) & (compacted ? components : 7);
        std::memset(area.data() + 512, 0, 64);
        set(area, 512, present);
        if (compacted) set(area, 520, components | std::uint64_t{1} << 63);
        set(area, 24, static_cast<std::uint32_t>(values.bits() & 0xffff) | 0x1f80);
        // A control word without unmasked exceptions; nothing is pending.
        set(area, 0, static_cast<std::uint16_t>(0x37f | (values.bits() & 0xc00)));
        set(area, 2, static_cast<std::uint16_t>(values.bits() & 0x7f3f));
        return area;
    }

    void compare(const Code& code, auto&& make_area, unsigned executions = 1500) {
        FpComparison comparison(code, mxcsr_mask);
        for (unsigned i = 0; i < executions; ++i)
            ASSERT_EQ(comparison.difference(state(), make_area()), "") << "execution " << i;
        faults = comparison.faults;
    }

    std::uint64_t faults = 0;
};

TEST_F(Xsave, ImagesMatchTheProcessors) {
    BACKPLANE_NEEDS_HOST(Avx);
    for (const bool wide : {false, true}) {
        const auto code = [&](Code bytes) {
            if (wide) bytes.insert(bytes.begin(), 0x48);
            return bytes;
        };
        const auto any = [&] { return random_area(); };
        compare(code({0x0f, 0xae, xsave}), any);
        if (host_has_xsave(Feature::Xsaveopt)) compare(code({0x0f, 0xae, xsaveopt}), any);
        if (host_has_xsave(Feature::Xsavec)) compare(code({0x0f, 0xc7, xsave}), any);
    }
}

TEST_F(Xsave, RestoredStateMatchesTheProcessors) {
    BACKPLANE_NEEDS_HOST(Avx);
    for (const Code& code : {Code{0x0f, 0xae, xrstor}, Code{0x48, 0x0f, 0xae, xrstor}}) {
        compare(code, [&] { return image(false); });
        EXPECT_EQ(faults, 0u);
        if (!host_has_xsave(Feature::Xsavec)) continue;
        compare(code, [&] { return image(true); });
        EXPECT_EQ(faults, 0u);
    }
}

TEST_F(Xsave, HeadersAreRefusedAsByTheProcessor) {
    BACKPLANE_NEEDS_HOST(Avx);
    const bool has_compacted = host_has_xsave(Feature::Xsavec);
    const auto spoilt = [&] {
        const bool compacted = has_compacted && values.one_in(2);
        Area area = image(compacted);
        // The host may have enabled more components than the guest: bits that no system enables.
        static constexpr unsigned bits[] = {3, 4, 8, 20, 40, 62};
        const auto flip = [&](std::size_t word, unsigned bit) {
            area[512 + 8 * word + bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
        };
        switch (values.below(6)) {
        case 0: flip(0, bits[values.below(std::size(bits))]); break;
        case 1: flip(1, bits[values.below(std::size(bits))]); break;
        case 2: flip(1, static_cast<unsigned>(values.below(3))); break;
        case 3: flip(2 + values.below(6), static_cast<unsigned>(values.below(64))); break;
        case 4: set(area, 24, 1u << (16 + (values.one_in(2) ? 0 : 2 + values.below(14)))); break;
        default: break;
        }
        return area;
    };
    compare({0x0f, 0xae, xrstor}, spoilt, 4000);
    EXPECT_GT(faults, 1000u);
    EXPECT_LT(faults, 3500u);
}

TEST_F(Xsave, AreasAreAlignedToCacheLines) {
    BACKPLANE_NEEDS_HOST(Avx);
    for (const Code& code : {Code{0x0f, 0xae, xsave}, Code{0x0f, 0xae, xrstor}})
        for (const std::size_t misalignment : {8, 16, 32, 64}) {
            FpComparison comparison(code, mxcsr_mask);
            comparison.misalignment = misalignment;
            ASSERT_EQ(comparison.difference(state(), image(false)), "");
            EXPECT_EQ(comparison.faults, misalignment == 64 ? 0u : 1u);
        }
}

// An area that ends in a page that is not there changes nothing but memory.
TEST_F(Xsave, RestoreThatFaultsLeavesTheStateAlone) {
    BACKPLANE_NEEDS_HOST(Avx);
    for (const std::int64_t hidden : {64, 256, 448}) {
        FpComparison comparison({0x0f, 0xae, xrstor}, mxcsr_mask);
        comparison.misalignment = FpComparison::at_page_end;
        comparison.pointer_offset = FpComparison::memory_size - 832 + hidden;
        Area area = image(false), moved = area;
        std::memcpy(moved.data() + comparison.pointer_offset, area.data(),
                    static_cast<std::size_t>(832 - hidden));
        // XSTATE_BV, where it is not hidden itself.
        const auto header = static_cast<std::size_t>(comparison.pointer_offset) + 512;
        if (header < moved.size()) moved[header] = 7;
        FpState before = state();
        before.rax = 7;
        ASSERT_EQ(comparison.difference(before, moved), "") << hidden;
        EXPECT_EQ(comparison.faults, 1u);
    }
}

struct Bench {
    Bench() {
        for (const Feature feature : {Feature::Avx, Feature::Xsave, Feature::Xgetbv1})
            services.cpu_model.features.add(feature);
        m.services = &services;
        CpuState& state = m.state();
        state.cr0 = 1;
        state.cr4 = 1u << 18;
        state.efer = 1u << 10;
        state.segments[CS].attributes = 0xa09b;
        state.gpr[RSI] = 0x1000;
    }

    std::optional<Vector> run(const Code& code, std::uint64_t rcx = 0, std::uint64_t value = 0) {
        CpuState& state = m.state();
        state.gpr[RCX] = rcx;
        state.gpr[RAX] = value & 0xffffffff;
        state.gpr[RDX] = value >> 32;
        Instruction instruction;
        EXPECT_EQ(
            Decoder{}.decode(std::as_bytes(std::span{code}), CodeSize::Bits64, 0x1000, instruction),
            DecodeStatus::Complete);
        const auto outcome = execute(m, floating_point_forms(), instruction);
        EXPECT_TRUE(outcome.has_value());
        if (*outcome != Outcome::Fault) return {};
        return m.raised->vector;
    }

    alignas(64) std::array<std::byte, 1024> memory{};
    FakeServices services;
    SemanticsMachine m{0x1000, memory};
};

const Code xgetbv_code{0x0f, 0x01, 0xd0}, xsetbv_code{0x0f, 0x01, 0xd1};

TEST(Xcr0, TakesOnlyWhatTheModelHas) {
    Bench bench;
    EXPECT_EQ(bench.run(xsetbv_code, 0, 7), std::nullopt);
    EXPECT_EQ(bench.m.state().xcr0, 7u);
    EXPECT_EQ(bench.services.mode_changes, 1u);
    EXPECT_EQ(bench.run(xsetbv_code, 0, 1), std::nullopt);
    EXPECT_EQ(bench.run(xsetbv_code, 0, 3), std::nullopt);
    for (const std::uint64_t wrong : {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{5},
                                      std::uint64_t{6}, std::uint64_t{0xf}, std::uint64_t{1} << 63})
        EXPECT_EQ(bench.run(xsetbv_code, 0, wrong), Vector::GeneralProtection) << wrong;
    EXPECT_EQ(bench.run(xsetbv_code, 1, 7), Vector::GeneralProtection);
    bench.m.state().cpl = 3;
    EXPECT_EQ(bench.run(xsetbv_code, 0, 7), Vector::GeneralProtection);
    bench.m.state().cpl = 0;
    bench.services.cpu_model.features.remove(Feature::Avx);
    EXPECT_EQ(bench.run(xsetbv_code, 0, 7), Vector::GeneralProtection);
    EXPECT_EQ(bench.m.state().xcr0, 3u);
    bench.m.state().cr4 = 0;
    EXPECT_EQ(bench.run(xsetbv_code, 0, 3), Vector::InvalidOpcode);
}

TEST(Xcr0, IsReadWithWhatIsInUse) {
    Bench bench;
    CpuState& state = bench.m.state();
    state.xcr0 = 7;
    state.cpl = 3;
    EXPECT_EQ(bench.run(xgetbv_code, 0, ~0ull), std::nullopt);
    EXPECT_EQ(state.gpr[RAX], 7u);
    EXPECT_EQ(state.gpr[RDX], 0u);
    EXPECT_EQ(bench.run(xgetbv_code, 1), std::nullopt);
    EXPECT_EQ(state.gpr[RAX], 0u);
    state.vectors[9].bytes[20] = 1;
    EXPECT_EQ(bench.run(xgetbv_code, 1), std::nullopt);
    EXPECT_EQ(state.gpr[RAX], 4u);
    state.vectors[9].bytes[3] = 1;
    state.x87.valid = 1;
    EXPECT_EQ(bench.run(xgetbv_code, 1), std::nullopt);
    EXPECT_EQ(state.gpr[RAX], 7u);
    EXPECT_EQ(bench.run(xgetbv_code, 2), Vector::GeneralProtection);
    bench.services.cpu_model.features.remove(Feature::Xgetbv1);
    EXPECT_EQ(bench.run(xgetbv_code, 1), Vector::GeneralProtection);
    state.cr4 = 0;
    EXPECT_EQ(bench.run(xgetbv_code, 0), Vector::InvalidOpcode);
}

// What a processor does whose tracking is exact (SDM 1 13.6): the initial configuration is not in
// XSTATE_BV, and only XSAVE writes it.
TEST(XsaveInitialState, IsNotMarkedAndNotWrittenWhenOptimized) {
    struct Case {
        Code code;
        bool writes_components, writes_mxcsr;
    };
    const Case cases[] = {{{0x0f, 0xae, xsave}, true, true},
                          {{0x0f, 0xae, xsaveopt}, false, true},
                          {{0x0f, 0xc7, xsave}, false, false}};
    for (const Case& one : cases)
        for (const bool with_mxcsr : {false, true}) {
            Bench bench;
            CpuState& state = bench.m.state();
            state.xcr0 = 7;
            if (with_mxcsr) set_guest_mxcsr(state, 0x1f00);
            bench.memory.fill(std::byte{0xcc});
            std::memset(bench.memory.data() + 512, 0, 64);
            EXPECT_EQ(bench.run(one.code, 0, 7), std::nullopt);
            set_guest_mxcsr(state, 0x1f80);
            const bool compacted = one.code[1] == 0xc7;
            const bool counts = compacted && with_mxcsr;  // only XSAVEC has MXCSR count
            const auto written = [&](std::size_t offset) {
                return bench.memory[offset] != std::byte{0xcc};
            };
            EXPECT_EQ(static_cast<unsigned>(bench.memory[512]), counts ? 2u : 0u);
            EXPECT_EQ(bench.memory[527] == std::byte{0x80}, compacted);
            EXPECT_EQ(written(0), one.writes_components);
            EXPECT_EQ(written(32), one.writes_components);
            EXPECT_EQ(written(160), one.writes_components || counts);
            EXPECT_EQ(written(576), one.writes_components);
            EXPECT_EQ(written(24), one.writes_mxcsr || counts);
            EXPECT_FALSE(written(416) || written(832));
        }
}

TEST(XsaveAvailability, FollowsTheControlRegisters) {
    Bench bench;
    for (const std::uint8_t modrm : {xsave, xsaveopt, xrstor}) {
        bench.m.state().cr4 = 0;
        bench.m.state().cr0 = 1 | 8;
        EXPECT_EQ(bench.run({0x0f, 0xae, modrm}), Vector::InvalidOpcode);
        bench.m.state().cr4 = 1u << 18;
        EXPECT_EQ(bench.run({0x0f, 0xae, modrm}), Vector::DeviceNotAvailable);
        bench.m.state().cr0 = 1 | 4;  // EM does not count
        EXPECT_EQ(bench.run({0x0f, 0xae, modrm}), std::nullopt);
    }
}

TEST(XsaveCompacted, IsUnknownToAModelWithoutXsavec) {
    Bench bench;
    bench.m.state().xcr0 = 7;
    const std::uint64_t xcomp_bv = std::uint64_t{1} << 63 | 7;
    std::memcpy(bench.memory.data() + 520, &xcomp_bv, 8);
    EXPECT_EQ(bench.run({0x0f, 0xae, xrstor}, 0, 7), Vector::GeneralProtection);
    bench.services.cpu_model.features.add(Feature::Xsavec);
    EXPECT_EQ(bench.run({0x0f, 0xae, xrstor}, 0, 7), std::nullopt);
}

TEST(XsaveCpuid, SaysWhereTheComponentsAre) {
    CpuModel model = *make_cpu_model("x86-64-v1");
    for (const Feature feature : {Feature::Avx, Feature::Xsave, Feature::Xsaveopt, Feature::Xsavec})
        model.features.add(feature);
    CpuidContext context{.model = model, .osxsave = true, .xcr0 = 3};
    if (host_features().has(Feature::Avx)) {
        CpuidResult host;
        __get_cpuid_count(0xd, 2, &host.eax, &host.ebx, &host.ecx, &host.edx);
        EXPECT_EQ(cpuid(context, 0xd, 2), host);
    }
    EXPECT_EQ(cpuid(context, 0xd, 0), (CpuidResult{.eax = 7, .ebx = 576, .ecx = 832}));
    EXPECT_EQ(cpuid(context, 0xd, 1), (CpuidResult{.eax = 3, .ebx = 576}));
    EXPECT_EQ(cpuid(context, 0xd, 3), CpuidResult{});
    context.xcr0 = 7;
    EXPECT_EQ(cpuid(context, 0xd, 0).ebx, 832u);
    EXPECT_TRUE(cpuid(context, 1, 0).ecx >> 27 & 1);
    context.osxsave = false;
    EXPECT_FALSE(cpuid(context, 1, 0).ecx >> 27 & 1);
    model.features.remove(Feature::Avx);
    EXPECT_EQ(cpuid(context, 0xd, 0).eax, 3u);
    EXPECT_EQ(cpuid(context, 0xd, 2), CpuidResult{});
}

TEST(FxsaveSelectors, AreKeptUnlessTheModelDeprecatesThem) {
    Bench bench;
    CpuState& state = bench.m.state();
    state.segments[CS].selector = 0x33;
    state.segments[DS].selector = 0x2b;
    state.cr4 |= 1u << 9;
    const Code load{0xd9, 0x06}, save{0x0f, 0xae, 0x06}, save64{0x48, 0x0f, 0xae, 0x06},
        restore{0x0f, 0xae, 0x0e};
    const auto word = [&](std::size_t offset) {
        std::uint64_t value;
        std::memcpy(&value, bench.memory.data() + offset, 8);
        return value;
    };
    EXPECT_EQ(bench.run(load), std::nullopt);
    EXPECT_EQ(bench.run(save), std::nullopt);
    EXPECT_EQ(word(8), 0x33'0000'1000u);
    EXPECT_EQ(word(16), 0x2b'0000'1000u);
    state.x87.last_instruction_selector = state.x87.last_data_selector = 0;
    EXPECT_EQ(bench.run(restore), std::nullopt);
    EXPECT_EQ(state.x87.last_instruction_selector, 0x33);
    EXPECT_EQ(state.x87.last_data_selector, 0x2b);
    EXPECT_EQ(bench.run(save64), std::nullopt);
    EXPECT_EQ(word(8), 0x1000u);
    bench.services.cpu_model.features.add(Feature::FcsFdsDeprecated);
    EXPECT_EQ(bench.run(save), std::nullopt);
    EXPECT_EQ(word(8), 0x1000u);
    EXPECT_EQ(word(16), 0x1000u);
}

}  // namespace
}  // namespace backplane::x86::testing
