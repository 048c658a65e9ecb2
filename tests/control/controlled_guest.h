// `backplane run --control` with a small guest, and other commands of the program beside it.
#pragma once

#include "support/flat_kernel.h"
#include "support/guest_session.h"
#include "support/paths.h"
#include "support/temp_path.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace backplane::test {

// Counts in RBX until the power button is pressed; then powers off (ACPI S5).
inline constexpr std::uint8_t counts_until_the_button[] = {
    0x66, 0xba, 0x02, 0x06,  // mov dx, 0x602 (PMEN)
    0x66, 0xb8, 0x00, 0x01,  // mov ax, PWRBTN_EN
    0x66, 0xef,              // out dx, ax
    0x48, 0xff, 0xc3,        // again: inc rbx
    0x66, 0xba, 0x00, 0x06,  // mov dx, 0x600 (PMSTS)
    0x66, 0xed,              // in ax, dx
    0xf6, 0xc4, 0x01,        // test ah, 1 (PWRBTN_STS)
    0x74, 0xf2,              // jz again
    0x66, 0xba, 0x04, 0x06,  // mov dx, 0x604 (PMCNTRL)
    0x66, 0xb8, 0x00, 0x20,  // mov ax, SUS_EN
    0x66, 0xef,              // out dx, ax
    0xf4, 0xeb, 0xfd,        // hlt; jmp $-1
};
inline constexpr std::uint64_t entry = 0x1000200;

struct Output {
    int code;
    std::string text;
};

// Of `backplane` with these arguments, both of its outputs. `at_first_line` is called when that has
// come, and the program goes on.
inline Output backplane(const std::string& arguments, std::function<void()> at_first_line = {}) {
    std::FILE* pipe = popen((std::string{paths::program} + " " + arguments + " 2>&1").c_str(), "r");
    Output output{.code = -1, .text = {}};
    char buffer[4096];
    while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) {
        output.text += buffer;
        if (at_first_line && output.text.ends_with('\n')) std::exchange(at_first_line, {})();
    }
    const int status = pclose(pipe);
    if (WIFEXITED(status)) output.code = WEXITSTATUS(status);
    return output;
}

class ControlledGuest : public ::testing::Test {
protected:
    // `program` is 64-bit code that begins at `entry`, with 12 KiB of memory from 0x1001000 on.
    explicit ControlledGuest(std::vector<std::string> more = {},
                             std::span<const std::uint8_t> program = counts_until_the_button) {
        std::vector<std::string> arguments{
            "--kernel",  write_flat_kernel(temp_path("kernel"), program, 0x4000),
            "--control", "unix:" + socket,
            "--serial",  "none",
            "--timeout", "600"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        session.emplace("linux-serial", arguments, Input::Null);
        while (backplane("ctl " + socket).code != 0 && !session->exit_code(std::chrono::seconds{0}))
            std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    ~ControlledGuest() override { std::filesystem::remove(temp_path("kernel")); }

    // Of a command that succeeds.
    std::string ctl(const std::string& command) {
        const Output output = backplane("ctl " + socket + " " + command);
        EXPECT_EQ(output.code, 0) << command << ": " << output.text;
        return output.text;
    }
    nlohmann::json json(const std::string& command) {
        return nlohmann::json::parse(ctl("--json " + command))["return"];
    }

    std::string socket = temp_path("ctl");
    std::optional<GuestSession> session;
};

}  // namespace backplane::test
