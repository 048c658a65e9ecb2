// A small machine of the input's bytes, interpreted and with every block compiled: both end alike.
#include "cpu-llvmjit/random_machine_difference.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string found = backplane::jit::testing::random_machine_difference({data, size}, 1);
    if (found.empty()) return 0;
    std::fprintf(stderr, "compiled code differs in: %s\n", found.c_str());
    std::abort();
}
