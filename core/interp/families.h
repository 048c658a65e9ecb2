// The families of instructions that are compiled apart.
#pragma once

#include "interp/forms_table.h"

namespace backplane::interp {

void register_arithmetic(Forms& forms);
void register_avx_integer_arithmetic(Forms& forms);
void register_avx_integer_shuffle(Forms& forms);
void register_avx_arithmetic(Forms& forms);
void register_avx_comparisons(Forms& forms);
void register_avx_conversions(Forms& forms);
void register_avx_move(Forms& forms);
void register_avx_permute(Forms& forms);
void register_avx_masked(Forms& forms);
void register_fma_add(Forms& forms);
void register_fma_negated(Forms& forms);
void register_fma_alternating(Forms& forms);
void register_avx_blend(Forms& forms);
void register_avx_element(Forms& forms);
void register_avx_crypto(Forms& forms);
void register_avx_float_sse4(Forms& forms);
void register_f16c(Forms& forms);
void register_bit(Forms& forms);
void register_bit_manipulation(Forms& forms);
void register_branch(Forms& forms);
void register_crc32(Forms& forms);
void register_crypto(Forms& forms);
void register_far_branch(Forms& forms);
void register_logic(Forms& forms);
void register_move(Forms& forms);
void register_multiply(Forms& forms);
void register_port_io(Forms& forms);
void register_segment(Forms& forms);
void register_shift(Forms& forms);
void register_sse4a(Forms& forms);
void register_sse_arithmetic(Forms& forms);
void register_sse_comparisons(Forms& forms);
void register_sse_conversions(Forms& forms);
void register_sse_float_sse4(Forms& forms);
void register_stack(Forms& forms);
void register_string(Forms& forms);
void register_system(Forms& forms);
void register_vector_element(Forms& forms);
void register_vector_integer(Forms& forms);
void register_vector_move(Forms& forms);
void register_vector_neighbours(Forms& forms);
void register_vector_shuffle(Forms& forms);
void register_vector_string(Forms& forms);
void register_xsave(Forms& forms);
void register_x87_arithmetic(Forms& forms);
void register_x87_control(Forms& forms);
void register_x87_functions(Forms& forms);
void register_x87_transfers(Forms& forms);

}  // namespace backplane::interp
