// Temporary files of one test process, which go with it: tests run side by side, each in its own.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <system_error>

namespace backplane::test {

class TempFolder {
public:
    TempFolder()
        : path{std::filesystem::path{::testing::TempDir()} /
               ("backplane-" + std::to_string(getpid()))} {
        std::filesystem::create_directories(path);
    }
    TempFolder(const TempFolder&) = delete;
    TempFolder& operator=(const TempFolder&) = delete;
    ~TempFolder() {
        std::error_code ignored;
        // Not by a child that was forked and leaves by exit.
        if (getpid() == owner_) std::filesystem::remove_all(path, ignored);
    }

    const std::filesystem::path path;

private:
    pid_t owner_ = getpid();
};

inline std::string temp_path(const std::string& name) {
    static const TempFolder folder;
    return folder.path / name;
}

}  // namespace backplane::test
