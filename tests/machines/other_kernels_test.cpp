// Kernels of a few instructions that are started by Multiboot and PVH: they print what they are
// given, and end the run.
#include "support/guest_session.h"
#include "support/temp_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <string>
#include <vector>

namespace backplane::test {
namespace {

using ::testing::HasSubstr;

constexpr std::uint32_t load_address = 0x100000;

class Image {
public:
    Image& bytes(std::initializer_list<int> values) {
        for (const int value : values)
            content.push_back(static_cast<char>(value));
        return *this;
    }
    Image& words(std::initializer_list<std::uint32_t> values) {
        for (const std::uint32_t value : values)
            content.append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }

    // Prints the text at ESI.
    Image& print() {
        return bytes({0xac,                    // lodsb
                      0x84, 0xc0,              // test al,al
                      0x74, 0x07,              // jz past the loop
                      0x66, 0xba, 0xf8, 0x03,  // mov dx,0x3f8
                      0xee,                    // out dx,al
                      0xeb, 0xf4});            // jmp back
    }

    // Ends the run with code 21, which is 43 outside.
    Image& finish() {
        return bytes({0xb0, 0x15,              // mov al,21
                      0x66, 0xba, 0x01, 0x05,  // mov dx,0x501
                      0xee,                    // out dx,al
                      0xf4});                  // hlt
    }

    std::string content;
};

class OtherKernels : public ::testing::Test {
protected:
    OtherKernels() { std::ofstream{module_} << "[the module]" << '\0'; }
    ~OtherKernels() override {
        std::filesystem::remove(kernel_);
        std::filesystem::remove(module_);
    }

    // What the kernel prints.
    std::string run(const Image& image) {
        std::ofstream{kernel_, std::ios::binary} << image.content;
        GuestSession session{"linux-serial",
                             {"--kernel", kernel_, "--initrd", module_ + " with parameters",
                              "--append", "[the command line]", "--timeout", "200"}};
        EXPECT_EQ(session.exit_code(), 43);
        return session.unread();
    }

private:
    std::string kernel_ = temp_path("other-kernel"), module_ = temp_path("other-module");
};

TEST_F(OtherKernels, StartByMultiboot) {
    constexpr std::uint32_t magic = 0x1badb002, flags = 0x10000;
    Image image;
    image.words({magic, flags, 0 - magic - flags});
    image.words({load_address, load_address, 0, 0, load_address + 32});
    image.bytes({0x3d, 0x02, 0xb0, 0xad, 0x2b,  // cmp eax,0x2badb002
                 0x75, 0xfe,                    // jne $
                 0x8b, 0x73, 0x10});            // mov esi,[ebx+16]: the command line
    image.print();
    image.bytes({0x8b, 0x4b, 0x18,  // mov ecx,[ebx+24]: the modules
                 0x8b, 0x31});      // mov esi,[ecx]
    image.print();
    image.bytes({0x8b, 0x4b, 0x18,    // mov ecx,[ebx+24]
                 0x8b, 0x71, 0x08});  // mov esi,[ecx+8]: the module's own command line
    image.print().finish();
    const std::string text = run(image);
    EXPECT_THAT(text, HasSubstr(" [the command line][the module]"));
    EXPECT_THAT(text, HasSubstr("other-module with parameters"));
}

TEST_F(OtherKernels, StartByMultiboot2) {
    constexpr std::uint32_t magic = 0xe85250d6, length = 64;
    Image image;
    image.words({magic, 0, length, 0 - magic - length});
    image.words({2, 24, load_address, load_address, 0, 0});
    image.words({3, 12, load_address + length, 0});
    image.words({0, 8});
    image.bytes({0x3d, 0x89, 0x62, 0xd7, 0x36,  // cmp eax,0x36d76289
                 0x75, 0xfe,                    // jne $
                 0x8d, 0x73, 0x10});            // lea esi,[ebx+16]: the first tag's text
    image.print().finish();
    EXPECT_THAT(run(image), HasSubstr(" [the command line]"));
}

TEST_F(OtherKernels, StartByPvh) {
    constexpr std::uint32_t header = 52, segments = 2, note = header + segments * 32,
                            code = note + 20;
    Image image;
    image.words({0x464c457f, 0x00010101, 0, 0});
    image.words({0x00030002, 1, 0, header, 0, 0, 0x00200034, segments});
    image.bytes({0, 0, 0, 0});
    image.words({1, 0, load_address, load_address, 512, 4096, 7, 4096});
    image.words({4, note, 0, 0, 20, 20, 4, 4});
    image.words({4, 4, 18, 0x006e6558, load_address + code});
    image.bytes({0x81, 0x3b, 0x78, 0xc5, 0x6e, 0x33,  // cmp dword [ebx],0x336ec578
                 0x75, 0xfe,                          // jne $
                 0x8b, 0x73, 0x18});                  // mov esi,[ebx+24]: the command line
    image.print();
    image.bytes({0x8b, 0x4b, 0x10,  // mov ecx,[ebx+16]: the modules
                 0x8b, 0x31});      // mov esi,[ecx]
    image.print().finish();
    image.content.resize(512);
    EXPECT_THAT(run(image), HasSubstr("[the command line][the module]"));
}

}  // namespace
}  // namespace backplane::test
