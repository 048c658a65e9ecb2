// AES-NI, PCLMULQDQ and SHA against the processor, with every control byte.
#include "x86/vector_comparison.h"

#include <gtest/gtest.h>

namespace backplane::x86::testing {
namespace {

void check_integer(const Opcode& opcode) {
    check(opcode, Both, FpValues::Masks::AllSet, 4 * executions);
}

TEST(Aes, MatchesTheProcessor) {
    for (const std::uint8_t byte : {0xdb, 0xdc, 0xdd, 0xde, 0xdf})
        check_integer({"aes", {0x66, 0x0f, 0x38, byte}});
    check_integer({"aeskeygenassist", {0x66, 0x0f, 0x3a, 0xdf}, 256});
}

TEST(Pclmulqdq, MatchesTheProcessor) {
    check_integer({"pclmulqdq", {0x66, 0x0f, 0x3a, 0x44}, 256});
}

TEST(Sha, MatchesTheProcessor) {
    for (const std::uint8_t byte : {0xc8, 0xc9, 0xca, 0xcb, 0xcc, 0xcd})
        check_integer({"sha", {0x0f, 0x38, byte}});
    check_integer({"sha1rnds4", {0x0f, 0x3a, 0xcc}, 256});
}

}  // namespace
}  // namespace backplane::x86::testing
