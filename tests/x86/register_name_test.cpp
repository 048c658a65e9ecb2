// The order of the decoder's names is what is relied on.
#include "x86/register_name.h"

#include <gtest/gtest.h>

namespace backplane::x86 {
namespace {

TEST(RegisterNames, AreInTheOrderThatIsReliedOn) {
    for (int i = ZYDIS_REGISTER_NONE; i <= ZYDIS_REGISTER_MAX_VALUE; ++i) {
        const auto name = static_cast<ZydisRegister>(i);
        SCOPED_TRACE(ZydisRegisterGetString(name));
        const ZydisRegisterClass kind = ZydisRegisterGetClass(name);
        const bool is_general = kind == ZYDIS_REGCLASS_GPR8 || kind == ZYDIS_REGCLASS_GPR16 ||
                                kind == ZYDIS_REGCLASS_GPR32 || kind == ZYDIS_REGCLASS_GPR64;
        EXPECT_EQ(is_part_of_general(name), is_general);
        EXPECT_EQ(is_xmm_or_ymm(name), kind == ZYDIS_REGCLASS_XMM || kind == ZYDIS_REGCLASS_YMM);
        EXPECT_EQ(is_flags(name), kind == ZYDIS_REGCLASS_FLAGS);
        EXPECT_EQ(is_second_byte(name), name == ZYDIS_REGISTER_AH || name == ZYDIS_REGISTER_CH ||
                                            name == ZYDIS_REGISTER_DH || name == ZYDIS_REGISTER_BH);
        if (!is_general) continue;
        const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64,
                                                                     name);
        EXPECT_EQ(static_cast<int>(general_number(name)), ZydisRegisterGetId(whole));
    }
}

}  // namespace
}  // namespace backplane::x86
