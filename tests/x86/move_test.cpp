// Moves, exchanges, addresses and conversions against the processor under the tests.
#include "x86/integer_fixture.h"

namespace backplane::x86::testing {
namespace {

TEST_F(Integer, MovesComputeAsTheProcessorDoes) {
    binary(ZYDIS_MNEMONIC_MOV, false);
    for (const auto name : registers(64))
        run(ZYDIS_MNEMONIC_MOV, {reg(name), imm(0x123456789abcdef0)}, 2);
    for (const unsigned width : {32u, 64u})
        run(ZYDIS_MNEMONIC_MOVNTI, {mem(indexed(width)), reg(general(RSI, width))}, 20);
}

TEST_F(Integer, ExtensionsComputeAsTheProcessorDoes) {
    for (const auto mnemonic : {ZYDIS_MNEMONIC_MOVZX, ZYDIS_MNEMONIC_MOVSX, ZYDIS_MNEMONIC_MOVSXD})
        for (const unsigned to : wide_widths)
            for (const unsigned from : {8u, 16u, 32u})
                for (const auto target : registers(to)) {
                    for (const auto source : registers(from))
                        run(mnemonic, {reg(target), reg(source)}, 10);
                    run(mnemonic, {reg(target), mem(indexed(from))}, 10);
                }
}

TEST_F(Integer, ConditionsChooseAsTheProcessorDoes) {
    for (int i = 0; i < 16; ++i) {
        const auto setcc = std::vector<std::uint8_t>{0x0f, static_cast<std::uint8_t>(0x90 + i),
                                                     0xc3};
        const auto to_memory = std::vector<std::uint8_t>{0x41, 0x0f,
                                                         static_cast<std::uint8_t>(0x90 + i), 0x06};
        comparison.compare(setcc, 300, prepare());
        comparison.compare(to_memory, 300, prepare());
        for (const std::uint8_t prefix : {0x66, 0x40, 0x48}) {
            const auto cmov = std::vector<std::uint8_t>{prefix, 0x0f,
                                                        static_cast<std::uint8_t>(0x40 + i), 0xd3};
            comparison.compare(cmov, 200, prepare());
        }
        const auto from_memory = std::vector<std::uint8_t>{
            0x41, 0x0f, static_cast<std::uint8_t>(0x40 + i), 0x16};
        comparison.compare(from_memory, 200, prepare());
    }
}

TEST_F(Integer, ExchangesComputeAsTheProcessorDoes) {
    for (const auto mnemonic : {ZYDIS_MNEMONIC_XCHG, ZYDIS_MNEMONIC_XADD, ZYDIS_MNEMONIC_CMPXCHG})
        for (const unsigned width : widths)
            for (const auto source : registers(width)) {
                for (const auto target : registers(width))
                    run(mnemonic, {reg(target), reg(source)}, 20);
                run(mnemonic, {mem(indexed(width)), reg(source)}, 20);
                run(mnemonic, {mem(indexed(width)), reg(source)}, 20, ZYDIS_ATTRIB_HAS_LOCK);
            }
}

TEST_F(Integer, CmpxchgStoresWhenTheAccumulatorMatches) {
    for (const unsigned width : widths)
        for (const auto source : registers(width)) {
            const auto bytes = encode(ZYDIS_MNEMONIC_CMPXCHG,
                                      {reg(general(RSI, width)), reg(source)});
            if (bytes.empty()) continue;
            comparison.compare(bytes, 200, [&](NativeState& state) {
                state.gpr[RSI] = comparison.values.below(2) ? state.gpr[RAX] : comparison.values();
            });
        }
}

TEST_F(Integer, CmpxchgOfPairsComputesAsTheProcessorDoes) {
    const auto pairs = [&](std::vector<std::uint8_t> bytes, std::size_t half) {
        comparison.compare(bytes, 400, [&](NativeState& state) {
            state.gpr[RDI] = comparison.middle() + comparison.values.below(4) * 16;
            // The data is not known beforehand; zeros are frequent enough in it to match sometimes.
            if (comparison.values.below(2)) state.gpr[RAX] = state.gpr[RDX] = 0;
            (void)half;
        });
    };
    pairs({0x0f, 0xc7, 0x0f}, 4);
    pairs({0xf0, 0x0f, 0xc7, 0x0f}, 4);
    pairs({0x48, 0x0f, 0xc7, 0x0f}, 8);
    pairs({0xf0, 0x48, 0x0f, 0xc7, 0x0f}, 8);
}

TEST_F(Integer, CmpxchgOfSixteenMisalignedBytesFaults) {
    comparison.compare(std::vector<std::uint8_t>{0x48, 0x0f, 0xc7, 0x0f}, 20,
                       [&](NativeState& state) { state.gpr[RDI] = comparison.middle() + 8; });
}

TEST_F(Integer, LeaComputesForAllWidths) {
    struct Registers {
        unsigned address_width;
        std::vector<ZydisRegister> bases, indices;
    };
    const Registers sets[] = {
        {64,
         {ZYDIS_REGISTER_RBX, ZYDIS_REGISTER_R12, ZYDIS_REGISTER_RSP, ZYDIS_REGISTER_NONE},
         {ZYDIS_REGISTER_NONE, ZYDIS_REGISTER_RSI, ZYDIS_REGISTER_R9}},
        {32,
         {ZYDIS_REGISTER_EDX, ZYDIS_REGISTER_R13D, ZYDIS_REGISTER_ESP, ZYDIS_REGISTER_NONE},
         {ZYDIS_REGISTER_NONE, ZYDIS_REGISTER_ESI, ZYDIS_REGISTER_R9D}}};
    for (const unsigned width : wide_widths)
        for (const auto& [address_width, bases, indices] : sets)
            for (const auto base : bases)
                for (const auto index : indices)
                    for (const std::uint8_t scale : {1, 2, 4, 8})
                        for (const std::int64_t displacement :
                             {0, -1, 127, -128, 0x12345678, -0x12345678}) {
                            const std::uint8_t used = index == ZYDIS_REGISTER_NONE ? 0 : scale;
                            const auto bytes = static_cast<std::uint16_t>(address_width / 8);
                            run(ZYDIS_MNEMONIC_LEA,
                                {reg(general(RDI, width)),
                                 mem({base, index, used, displacement, bytes})},
                                3);
                        }
    comparison.compare(std::vector<std::uint8_t>{0x48, 0x8d, 0x05, 0x78, 0x56, 0x34, 0x12}, 2);
    comparison.compare(std::vector<std::uint8_t>{0x67, 0x8d, 0x05, 0x78, 0x56, 0x34, 0x12}, 2);
}

TEST_F(Integer, RelativeAndTruncatedAddressesReachTheSameByte) {
    // mov eax, [rip + x]; mov eax, [eip + x]; mov eax, [ebx]; movabs eax, moffs; add [abs32], eax
    const auto with = [](std::vector<std::uint8_t> bytes, std::uint64_t value, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i)
            bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
        return bytes;
    };
    const std::uint64_t data = comparison.middle(), here = comparison.instruction_address();
    comparison.compare(with({0x8b, 0x05}, data - (here + 6), 4), 5);
    comparison.compare(with({0x67, 0x8b, 0x05}, data - (here + 7), 4), 5);
    comparison.compare(with({0xa1}, data, 8), 5);
    comparison.compare(with({0x48, 0xa3}, data, 8), 5);
    comparison.compare(with({0x67, 0xa1}, data, 4), 5);
    comparison.compare(with({0x01, 0x04, 0x25}, data, 4), 5);
    comparison.compare(std::vector<std::uint8_t>{0x67, 0x8b, 0x03}, 5,
                       [&](NativeState& state) { state.gpr[RBX] = 0xffffffff00000000 | data; });
}

TEST_F(Integer, ConversionsAndFlagMovesComputeAsTheProcessorDoes) {
    const std::vector<std::uint8_t> instructions[] = {
        {0x98},
        {0x66, 0x98},
        {0x48, 0x98},
        {0x99},
        {0x66, 0x99},
        {0x48, 0x99},  // CBW family, CWD family
        {0x9f},
        {0x9e},  // LAHF, SAHF
        {0xf8},
        {0xf9},
        {0xf5},
        {0xfc},
        {0xfd},  // CLC, STC, CMC, CLD, STD
        {0x90},
        {0xf3, 0x90},
        {0x0f, 0x1f, 0x00},
        {0xf3, 0x0f, 0x1e, 0xfa},  // NOP, PAUSE, ENDBR64
        {0x0f, 0x18, 0x0b},
        {0x0f, 0x0d, 0x0b},
        {0x87, 0xc0},
        {0x41, 0x90}};  // prefetches, XCHG EAX
    for (const auto& bytes : instructions)
        comparison.compare(bytes, 200);
    comparison.compare(std::vector<std::uint8_t>{0xd7}, 100, [&](NativeState& state) {  // XLAT
        state.gpr[RBX] = comparison.middle() - 128;
    });
}

}  // namespace
}  // namespace backplane::x86::testing
