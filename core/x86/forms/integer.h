// All integer families at once, for those who need not compile them apart.
#pragma once

#include "x86/forms/arithmetic.h"
#include "x86/forms/bit.h"
#include "x86/forms/bit_manipulation.h"
#include "x86/forms/branch.h"
#include "x86/forms/crc32.h"
#include "x86/forms/logic.h"
#include "x86/forms/move.h"
#include "x86/forms/multiply.h"
#include "x86/forms/shift.h"
#include "x86/forms/stack.h"
#include "x86/forms/string.h"

namespace backplane::x86 {

template <class Engine>
void register_integer(FormTable<Engine>& table) {
    register_arithmetic(table);
    register_multiply(table);
    register_logic(table);
    register_shift(table);
    register_bit(table);
    register_bit_manipulation(table);
    register_crc32(table);
    register_move(table);
    register_stack(table);
    register_branch(table);
    register_string(table);
}

}  // namespace backplane::x86
