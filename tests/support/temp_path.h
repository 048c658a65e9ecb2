// A path for a temporary file of this test alone: tests run side by side, each in a process of its
// own.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace backplane::test {

inline std::string temp_path(const std::string& name) {
    return ::testing::TempDir() + "backplane_" + std::to_string(getpid()) + "_" + name;
}

}  // namespace backplane::test
