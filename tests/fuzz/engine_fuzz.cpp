// A small machine of the input's bytes on the interpreter: no crash, no hang, no broken invariant.
#include "cpu-interp/random_machine.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    backplane::interp::testing::run_random_machine({data, size});
    return 0;
}
