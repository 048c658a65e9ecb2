// System instructions that came with CPUID features: FSGSBASE, UMIP, INVPCID, MONITOR, RDPID and
// RDRAND (SDM 2).
#include "support/native_processor.h"
#include "support/system_machine.h"

#include <cpuid.h>
#include <gtest/gtest.h>

#include <vector>

namespace backplane::x86 {
namespace {

using testing::NativeProcessor, testing::NativeState, testing::SystemMachine;
namespace selector = testing::selector;

constexpr int ud = 6, gp = 13, pf = 14;
using Bytes = std::initializer_list<unsigned char>;

constexpr Bytes rdfsbase = {0xf3, 0x48, 0x0f, 0xae, 0xc0}, rdgsbase32 = {0xf3, 0x0f, 0xae, 0xc8},
                wrfsbase = {0xf3, 0x48, 0x0f, 0xae, 0xd0}, wrgsbase32 = {0xf3, 0x0f, 0xae, 0xd8},
                invpcid_rax_rbx = {0x66, 0x0f, 0x38, 0x82, 0x03}, monitor = {0x0f, 0x01, 0xc8},
                mwait = {0x0f, 0x01, 0xc9}, rdpid = {0xf3, 0x0f, 0xc7, 0xf8},
                rdrand = {0x48, 0x0f, 0xc7, 0xf0}, rdrand16 = {0x66, 0x0f, 0xc7, 0xf0},
                rdseed32 = {0x0f, 0xc7, 0xf8};

SystemMachine machine(unsigned cpl) {
    auto m = SystemMachine::in_long_mode(cpl);
    m.fake.cpu_model = *make_cpu_model("max");
    m.fake.cpu_model.features.add(Feature::Invpcid);
    return m;
}

TEST(SegmentBases, AreReadAndWrittenWhenEnabled) {
    auto m = machine(3);
    m.run(rdfsbase);
    EXPECT_EQ(m.vector(), ud) << "CR4.FSGSBASE";
    m.state().cr4 |= cr4::fsgsbase;
    m.state().gpr[RAX] = 0xffff800012345678;
    EXPECT_EQ(m.run(wrfsbase), Outcome::Next);
    EXPECT_EQ(m.state().segments[FS].base, 0xffff800012345678u);
    EXPECT_EQ(m.run(wrgsbase32), Outcome::Next);
    EXPECT_EQ(m.state().segments[GS].base, 0x12345678u) << "zero-extended";
    m.state().segments[GS].base = 0xffff8000fedcba98;
    EXPECT_EQ(m.run(rdgsbase32), Outcome::Next);
    EXPECT_EQ(m.state().gpr[RAX], 0xfedcba98u);
    EXPECT_EQ(m.run(rdfsbase), Outcome::Next);
    EXPECT_EQ(m.state().gpr[RAX], 0xffff800012345678u);
    m.state().gpr[RAX] = 0x0000800000000000;
    m.run(wrfsbase);
    EXPECT_EQ(m.vector(), gp);
    EXPECT_EQ(m.state().segments[FS].base, 0xffff800012345678u);
}

TEST(UserModeInstructionPrevention, HidesSystemRegistersFromPrograms) {
    const Bytes instructions[] = {{0x0f, 0x01, 0x03},   // sgdt [rbx]
                                  {0x0f, 0x01, 0x0b},   // sidt [rbx]
                                  {0x0f, 0x00, 0xc0},   // sldt eax
                                  {0x0f, 0x00, 0xc8},   // str eax
                                  {0x0f, 0x01, 0xe0}};  // smsw eax
    for (const Bytes& bytes : instructions) {
        auto user = machine(3);
        user.state().gpr[RBX] = 0x6000;
        EXPECT_EQ(user.run(bytes), Outcome::Next);
        user.state().cr4 |= cr4::umip;
        const CpuState before = user.state();
        EXPECT_EQ(user.run(bytes), Outcome::Fault);
        EXPECT_EQ(user.vector(), gp);
        EXPECT_EQ(user.error_code(), 0u);
        EXPECT_EQ(user.state().gpr, before.gpr);
        auto kernel = machine(0);
        kernel.state().gpr[RBX] = 0x6000;
        kernel.state().cr4 |= cr4::umip;
        EXPECT_EQ(kernel.run(bytes), Outcome::Next);
    }
}

// SLDT and STR do not exist in real mode, whatever UMIP says.
TEST(UserModeInstructionPrevention, IsABitOfCr4WithTheFeature) {
    auto m = machine(0);
    m.state().gpr[RAX] = m.state().cr4 | cr4::umip;
    EXPECT_EQ(m.run({0x0f, 0x22, 0xe0}), Outcome::Leave);
    m.fake.cpu_model.features.remove(Feature::Umip);
    EXPECT_EQ(m.run({0x0f, 0x22, 0xe0}), Outcome::Fault);
    EXPECT_EQ(m.vector(), gp);
}

struct Invalidation {
    std::uint64_t type, pcid, linear;
    int vector;
    const char* call;
};

TEST(InvalidatePcid, DropsAtLeastWhatWasAskedFor) {
    constexpr std::uint64_t current = 5, other = 6, wild = 0x0000800000000000;
    const Invalidation cases[] = {{0, current, 0x1000, -1, "flush page 4096"},
                                  {0, other, 0x1000, -1, "flush"},
                                  {1, current, wild, -1, "flush non-global"},
                                  {1, other, 0, -1, "flush"},
                                  {2, 0, wild, -1, "flush"},
                                  {3, 0, 0, -1, "flush"},
                                  {4, 0, 0, gp, ""},
                                  {~0ull, 0, 0, gp, ""},
                                  {0, current, wild, gp, ""},
                                  {0, 0x1000, 0, gp, ""},
                                  {2, 0x1000, 0, gp, ""}};
    for (const Invalidation& one : cases) {
        auto m = machine(0);
        m.state().cr4 |= cr4::pcide;
        m.state().cr3 = 0x10000 | current;
        m.state().gpr[RAX] = one.type;
        m.state().gpr[RBX] = 0x6000;
        m.put<std::uint64_t>(0x6000, one.pcid);
        m.put<std::uint64_t>(0x6008, one.linear);
        m.run(invpcid_rax_rbx);
        EXPECT_EQ(m.vector(), one.vector) << one.type << ' ' << one.pcid;
        if (one.vector < 0) EXPECT_EQ(m.fake.calls, std::vector<std::string>{one.call});
        if (one.vector >= 0) EXPECT_TRUE(m.fake.calls.empty());
    }
}

TEST(InvalidatePcid, WithoutPcidsTakesContextZeroOnly) {
    auto m = machine(0);
    m.state().gpr[RBX] = 0x6000;
    for (const std::uint64_t type : {0, 1}) {
        m.state().gpr[RAX] = type;
        m.put<std::uint64_t>(0x6000, 1);
        m.run(invpcid_rax_rbx);
        EXPECT_EQ(m.vector(), gp);
        m.put<std::uint64_t>(0x6000, 0);
        EXPECT_EQ(m.run(invpcid_rax_rbx), Outcome::Leave);
    }
    m.state().gpr[RBX] = 0x100000;
    m.run(invpcid_rax_rbx);
    EXPECT_EQ(m.vector(), pf);
}

TEST(Monitor, ChecksItsAddressAndExtensions) {
    auto m = machine(0);
    m.state().gpr[RAX] = 0x6000;
    EXPECT_EQ(m.run(monitor), Outcome::Next);
    EXPECT_EQ(m.run(mwait), Outcome::Leave) << "an interrupt may come in";
    EXPECT_FALSE(m.state().halted);
    m.state().gpr[RCX] = 1;
    EXPECT_EQ(m.run(mwait), Outcome::Leave);
    m.run(monitor);
    EXPECT_EQ(m.vector(), gp);
    m.state().gpr[RCX] = 2;
    m.run(mwait);
    EXPECT_EQ(m.vector(), gp);
    m.state().gpr[RCX] = 0;
    m.state().gpr[RAX] = 0x100000;
    m.run(monitor);
    EXPECT_EQ(m.vector(), pf);

    auto legacy = SystemMachine::in_protected_mode(0);
    legacy.fake.cpu_model = m.fake.cpu_model;
    legacy.state().segments[DS].limit = 0xfff;
    legacy.state().gpr[RAX] = 0x1000;
    legacy.run(monitor);
    EXPECT_EQ(legacy.vector(), gp) << "the segment's limit";
}

TEST(ProcessorId, IsTheRegisterThatRdtscpReads) {
    auto m = machine(3);
    m.state().tsc_aux = 0x12345;
    EXPECT_EQ(m.run(rdpid), Outcome::Next);
    EXPECT_EQ(m.state().gpr[RAX], 0x12345u);
}

TEST(RandomNumbers, RepeatForASeedAndSetCarryAlone) {
    const auto drawn = [](std::uint64_t seed) {
        auto m = machine(3);
        m.state().random = seed;
        std::vector<std::uint64_t> numbers;
        for (int i = 0; i < 100; ++i) {
            m.state().set_full_rflags(rflags::reserved1 | rflags::arithmetic);
            EXPECT_EQ(m.run(rdrand), Outcome::Next);
            EXPECT_EQ(m.state().full_rflags(), rflags::reserved1 | rflags::cf);
            numbers.push_back(m.state().gpr[RAX]);
        }
        return numbers;
    };
    const auto first = drawn(1);
    EXPECT_EQ(first, drawn(1));
    EXPECT_NE(first, drawn(2));
    EXPECT_EQ(std::set(first.begin(), first.end()).size(), first.size());
    std::uint64_t ones = 0;
    for (const std::uint64_t number : first)
        ones += static_cast<unsigned>(std::popcount(number));
    EXPECT_NEAR(static_cast<double>(ones), 3200, 200);
}

TEST(RandomNumbers, HaveTheWidthOfTheirRegister) {
    auto m = machine(3);
    m.state().gpr[RAX] = 0x1111111111111111;
    EXPECT_EQ(m.run(rdrand16), Outcome::Next);
    EXPECT_EQ(m.state().gpr[RAX] >> 16, 0x111111111111u);
    EXPECT_EQ(m.run(rdseed32), Outcome::Next);
    EXPECT_EQ(m.state().gpr[RAX] >> 32, 0u);
}

// What programs may not execute raises the same exception as on the processor under the tests,
// which runs a system that has these features enabled.
class ForPrograms : public ::testing::Test {
protected:
    static Vendor host_vendor() {
        unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
        __get_cpuid(0, &eax, &ebx, &ecx, &edx);
        return ebx == signature_AMD_ebx ? Vendor::Amd : Vendor::Intel;
    }

    static int signal_for(int vector) { return vector == ud ? SIGILL : vector < 0 ? 0 : SIGSEGV; }

    void compare(const std::vector<std::uint8_t>& bytes, const NativeState& before) {
        NativeProcessor& native = NativeProcessor::instance();
        native.set_code(bytes);
        const NativeState expected = native.run(before);
        auto m = machine(3);
        m.fake.cpu_model.vendor = host_vendor();
        for (const Feature feature : {Feature::Smap, Feature::Xsave, Feature::Invpcid})
            m.fake.cpu_model.features.add(feature);
        m.state().cr4 |= cr4::fsgsbase;
        m.state().gpr = before.gpr;
        std::vector<std::byte> padded(15);
        std::memcpy(padded.data(), bytes.data(), bytes.size());
        Instruction instruction;
        int vector = ud;
        const Decoder decoder{decoder_features(m.fake.cpu_model)};
        if (decoder.decode(padded, CodeSize::Bits64, SystemMachine::code, instruction) ==
                DecodeStatus::Complete &&
            has_instruction(m.fake.cpu_model, instruction)) {
            EXPECT_TRUE(testing::execute(m, testing::system_forms(), instruction));
            vector = m.vector();
        }
        EXPECT_EQ(signal_for(vector), expected.signal)
            << std::hex << +bytes[0] << ' ' << +bytes[1] << ' ' << +bytes.back();
    }
};

TEST_F(ForPrograms, PrivilegedInstructionsFaultAsOnTheProcessor) {
    NativeState before;
    before.gpr[RBX] = 0x6000;
    before.gpr[RSP] = NativeProcessor::instance().data_address() + 0x1000;
    const std::vector<std::uint8_t> instructions[] = {
        {0xfa},                          // cli
        {0xfb},                          // sti
        {0xf4},                          // hlt
        {0x0f, 0x01, 0x13},              // lgdt
        {0x0f, 0x01, 0x1b},              // lidt
        {0x0f, 0x00, 0xd0},              // lldt
        {0x0f, 0x00, 0xd8},              // ltr
        {0x0f, 0x01, 0xf0},              // lmsw
        {0x0f, 0x01, 0x3b},              // invlpg
        {0x0f, 0x06},                    // clts
        {0x0f, 0x08},                    // invd
        {0x0f, 0x09},                    // wbinvd
        {0x0f, 0x20, 0xc0},              // mov rax, cr0
        {0x0f, 0x22, 0xd8},              // mov cr3, rax
        {0x0f, 0x21, 0xf8},              // mov rax, dr7
        {0x0f, 0x30},                    // wrmsr
        {0x0f, 0x32},                    // rdmsr
        {0x0f, 0x07},                    // sysret
        {0x48, 0x0f, 0x07},              // sysretq
        {0x0f, 0x35},                    // sysexit
        {0x0f, 0x01, 0xf8},              // swapgs
        {0x0f, 0x01, 0xc8},              // monitor
        {0x0f, 0x01, 0xc9},              // mwait
        {0x66, 0x0f, 0x38, 0x82, 0x03},  // invpcid
        {0x0f, 0xaa},                    // rsm
        {0x0f, 0x0b},                    // ud2
        {0x0f, 0xb9, 0xc0},              // ud1
        {0x0f, 0xff, 0xc0},              // ud0
        {0x0f, 0x37},                    // getsec
    };
    for (const auto& bytes : instructions)
        compare(bytes, before);
}

TEST_F(ForPrograms, BasesMustBeCanonicalAsOnTheProcessor) {
    // Without the feature, or a system that enables it, there is nothing to compare with.
    NativeProcessor& native = NativeProcessor::instance();
    native.set_code(std::vector<std::uint8_t>{0xf3, 0x48, 0x0f, 0xae, 0xc8});  // rdgsbase rax
    NativeState before;
    before.gpr[RSP] = native.data_address() + 0x1000;
    const NativeState own = native.run(before);
    if (own.signal) GTEST_SKIP() << "no RDGSBASE here";
    for (const std::uint64_t base : {0ull, 0x00007fffffffffffull, 0x0000800000000000ull,
                                     0xffff7fffffffffffull, 0xffff800000000000ull}) {
        before.gpr[RAX] = base;
        compare({0xf3, 0x48, 0x0f, 0xae, 0xd8}, before);  // wrgsbase rax
    }
    native.set_code(std::vector<std::uint8_t>{0xf3, 0x48, 0x0f, 0xae, 0xd8});
    before.gpr[RAX] = own.gpr[RAX];
    EXPECT_EQ(native.run(before).signal, 0);
}

}  // namespace
}  // namespace backplane::x86
