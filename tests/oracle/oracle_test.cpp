#include "oracle.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>

namespace backplane::oracle {
namespace {

TEST(Oracle, Probe) {
    const auto start = std::chrono::steady_clock::now();
    auto oracle = std::make_unique<Oracle>(1);
    ASSERT_EQ(oracle->problem(), "");
    const auto t1 = std::chrono::steady_clock::now();
    std::printf("forms %zu, %f s\n", oracle->forms().forms().size(),
                std::chrono::duration<double>(t1 - start).count());
    const std::uint64_t wanted = std::getenv("CASES") ? std::strtoull(std::getenv("CASES"), 0, 0) : 100000;
    while (oracle->cases() < wanted)
        oracle->run_batch();
    const auto t2 = std::chrono::steady_clock::now();
    std::printf("%lu cases, %f us/case, invalid %lu, failed %lu, restarts %u\n", oracle->cases(),
                std::chrono::duration<double>(t2 - t1).count() * 1e6 / oracle->cases(),
                oracle->invalid_cases(), oracle->failed(), oracle->native().restarts());
    for (auto& f : oracle->failures())
        std::printf("FAIL [%s]\n%s", f.form < 0 ? "-" : oracle->forms().forms()[f.form].text.c_str(), f.text.c_str());
}

}  // namespace
}  // namespace backplane::oracle
