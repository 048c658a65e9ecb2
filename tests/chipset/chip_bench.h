// What the tests of every chip need: a bench for a device class, and the script of random accesses
// that each must bear.
#pragma once

#include <backplane/declaration.h>
#include <backplane/testing/device_bench.h>
#include <backplane/testing/round_trip.h>
#include <backplane/testing/script.h>

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace backplane::chipset {

using namespace std::chrono_literals;
using testing::DeviceBench;
using testing::Setting;

template <class T>
const backplane_device_type* type_of() {
    return Declaration<T>::device_type();
}

// About 100 000 accesses at random, with random time between them.
inline void play_random_script(DeviceBench& bench, unsigned seed) {
    std::mt19937 random{seed};
    std::vector<std::uint8_t> bytes(500'000);
    for (auto& byte : bytes)
        byte = static_cast<std::uint8_t>(random());
    testing::Script{bench}.play(bytes);
}

}  // namespace backplane::chipset
