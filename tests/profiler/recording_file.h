// A file of a test's own, gone with it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

namespace backplane::profiler::testing {

class RecordingFile {
public:
    explicit RecordingFile(const std::string& ending = ".data")
        : path{std::filesystem::path{::testing::TempDir()} /
               ("profile-" + std::to_string(getpid()) + "-" + std::to_string(next()++) + ending)} {}
    ~RecordingFile() {
        std::error_code ignored;
        std::filesystem::remove(path, ignored);
    }
    RecordingFile(const RecordingFile&) = delete;
    RecordingFile& operator=(const RecordingFile&) = delete;

    const std::filesystem::path path;

private:
    static int& next() {
        static int number = 0;
        return number;
    }
};

}  // namespace backplane::profiler::testing
