// A folder for images, and qemu-img to compare with.
#pragma once

#include "images/create_image.h"
#include "images/open_image.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace backplane::images::testing {

namespace fs = std::filesystem;

class ImageFolder : public ::testing::Test {
protected:
    ImageFolder() {
        std::string name = (fs::temp_directory_path() / "images-XXXXXX").string();
        folder = fs::canonical(mkdtemp(name.data()));
    }
    ~ImageFolder() override { fs::remove_all(folder); }

    fs::path at(const std::string& name) const { return folder / name; }

    struct Ran {
        int status = 0;
        std::string output;
    };
    // In the folder.
    Ran run(const std::string& command) const {
        Ran ran;
        FILE* pipe = popen(("cd '" + folder.string() + "' && " + command + " 2>&1").c_str(), "r");
        std::array<char, 4096> part{};
        while (const std::size_t got = std::fread(part.data(), 1, part.size(), pipe))
            ran.output.append(part.data(), got);
        const int status = pclose(pipe);
        ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        return ran;
    }
    void expect_run(const std::string& command) const {
        const Ran ran = run(command);
        EXPECT_EQ(ran.status, 0) << command << ": " << ran.output;
    }
    static bool has_qemu_img() { return std::system("qemu-img --version >/dev/null 2>&1") == 0; }

    void put(const std::string& name, const void* data, std::size_t size) const {
        std::ofstream{at(name), std::ios::binary}.write(static_cast<const char*>(data),
                                                        static_cast<std::streamsize>(size));
    }
    std::string get(const std::string& name) const {
        std::ifstream in{at(name), std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }
    void patch(const std::string& name, std::uint64_t offset, const std::string& bytes) const {
        std::fstream file{at(name), std::ios::binary | std::ios::in | std::ios::out};
        file.seekp(static_cast<std::streamoff>(offset));
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
    // Big-endian.
    static std::string number(std::uint64_t value, int bytes = 8) {
        std::string text;
        while (bytes-- != 0)
            text += static_cast<char>(value >> bytes * 8);
        return text;
    }

    OpenedImage open(const std::string& name, FileAccess access = FileAccess::ReadOnly,
                     OpenOptions options = {}) const {
        options.access = access;
        auto image = open_image(at(name), options);
        EXPECT_TRUE(image) << image.error();
        return image ? std::move(*image) : OpenedImage{};
    }
    std::string refusal(const std::string& name, OpenOptions options = {}) const {
        const auto image = open_image(at(name), options);
        return image ? "" : image.error();
    }
    void create(const std::string& name, CreateOptions options) const {
        options.format = format_by_name(name);
        const auto done = create_image(at(name), options);
        EXPECT_TRUE(done) << done.error();
    }

    fs::path folder;
};

}  // namespace backplane::images::testing
