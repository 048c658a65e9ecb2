#include "interp/forms_table.h"

#include "interp/families.h"

namespace backplane::interp {

Forms make_forms() {
    Forms forms;
    register_arithmetic(forms);
    register_avx_integer_arithmetic(forms);
    register_avx_integer_shuffle(forms);
    register_avx_arithmetic(forms);
    register_avx_comparisons(forms);
    register_avx_conversions(forms);
    register_avx_move(forms);
    register_avx_permute(forms);
    register_avx_masked(forms);
    register_fma_add(forms);
    register_fma_negated(forms);
    register_fma_alternating(forms);
    register_avx_blend(forms);
    register_avx_element(forms);
    register_avx_crypto(forms);
    register_avx_float_sse4(forms);
    register_f16c(forms);
    register_bit(forms);
    register_bit_manipulation(forms);
    register_branch(forms);
    register_crc32(forms);
    register_crypto(forms);
    register_far_branch(forms);
    register_logic(forms);
    register_move(forms);
    register_multiply(forms);
    register_port_io(forms);
    register_segment(forms);
    register_shift(forms);
    register_sse4a(forms);
    register_sse_arithmetic(forms);
    register_sse_comparisons(forms);
    register_sse_conversions(forms);
    register_sse_float_sse4(forms);
    register_stack(forms);
    register_string(forms);
    register_system(forms);
    register_vector_element(forms);
    register_vector_integer(forms);
    register_vector_move(forms);
    register_vector_neighbours(forms);
    register_vector_shuffle(forms);
    register_vector_string(forms);
    register_x87_arithmetic(forms);
    register_xsave(forms);
    register_x87_control(forms);
    register_x87_functions(forms);
    register_x87_transfers(forms);
    return forms;
}

}  // namespace backplane::interp
