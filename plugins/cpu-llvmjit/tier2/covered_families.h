// Which instructions tier 2 compiles: the families of forms that there is bitcode of. The others
// are left to the interpreter, and so is each single form that calls anything or asks its machine
// for a service (semantics_module.h).
#pragma once

#include "x86/forms.h"
#include "x86/forms/arithmetic.h"
#include "x86/forms/avx_float.h"
#include "x86/forms/avx_integer.h"
#include "x86/forms/avx_move.h"
#include "x86/forms/avx_permute.h"
#include "x86/forms/avx_shuffle.h"
#include "x86/forms/bit.h"
#include "x86/forms/bit_manipulation.h"
#include "x86/forms/branch.h"
#include "x86/forms/crc32.h"
#include "x86/forms/logic.h"
#include "x86/forms/move.h"
#include "x86/forms/multiply.h"
#include "x86/forms/operands.h"
#include "x86/forms/shift.h"
#include "x86/forms/sse_float.h"
#include "x86/forms/stack.h"
#include "x86/forms/vector_element.h"
#include "x86/forms/vector_integer.h"
#include "x86/forms/vector_move.h"
#include "x86/forms/vector_shuffle.h"

namespace backplane::jit::tier2 {

// Each of these is one unit of bitcode (semantics/).

template <class Engine>
void cover_integer(x86::FormTable<Engine>& forms) {
    x86::register_arithmetic(forms);
    x86::register_logic(forms);
    x86::register_move(forms);
    x86::register_shift(forms);
    x86::register_multiply(forms);
    x86::register_bit(forms);
    x86::register_bit_manipulation(forms);
    x86::register_stack(forms);
    x86::register_crc32(forms);
}

template <class Engine>
void cover_branch(x86::FormTable<Engine>& forms) {
    x86::register_branch(forms);
}

template <class Engine>
void cover_float(x86::FormTable<Engine>& forms) {
    x86::forms::register_sse_arithmetic(forms);
    x86::forms::register_sse_comparisons(forms);
    x86::forms::register_sse_conversions(forms);
}

template <class Engine>
void cover_vector_integer(x86::FormTable<Engine>& forms) {
    x86::register_vector_integer(forms);
    x86::register_vector_move(forms);
}

template <class Engine>
void cover_vector_shuffle(x86::FormTable<Engine>& forms) {
    x86::register_vector_shuffle(forms);
    x86::register_vector_element(forms);
}

template <class Engine>
void cover_all(x86::FormTable<Engine>& forms) {
    cover_integer(forms);
    cover_branch(forms);
    cover_float(forms);
    cover_vector_integer(forms);
    cover_vector_shuffle(forms);
}

}  // namespace backplane::jit::tier2
