// Guests of a few instructions, for what needs no operating system.
#pragma once

#include "support/flat_kernel.h"
#include "support/guest_session.h"
#include "support/temp_path.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <span>
#include <string>
#include <vector>

namespace backplane::test {

// clang-format off
inline constexpr std::uint8_t halt_for_good[] = {
    0xfa,  // cli
    0xf4,  // hlt
};

inline constexpr std::uint8_t spin_for_ever[] = {
    0xeb, 0xfe,  // jmp $
};

inline constexpr std::uint8_t exit_with_21[] = {
    0x66, 0xba, 0x01, 0x05,  // mov dx,0x501
    0xb0, 0x15,              // mov al,21
    0xee,                    // out dx,al
    0xf4,                    // hlt
};

inline constexpr std::uint8_t triple_fault[] = {
    0x48, 0xbb, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11,  // mov rbx,0x1122334455667788
    0x6a, 0x00,                                                  // push 0
    0x6a, 0x00,                                                  // push 0
    0x0f, 0x01, 0x1c, 0x24,                                      // lidt [rsp]: no gates
    0xcc,                                                        // int3
};

inline constexpr std::uint8_t reset_by_cf9[] = {
    0x66, 0xba, 0xf9, 0x0c,  // mov dx,0xcf9
    0xb0, 0x02,              // mov al,2
    0xee,                    // out dx,al
    0xb0, 0x06,              // mov al,6
    0xee,                    // out dx,al
    0xeb, 0xfe,              // jmp $
};

inline constexpr std::uint8_t reset_by_keyboard_controller[] = {
    0xb0, 0xfe,  // mov al,0xfe
    0xe6, 0x64,  // out 0x64,al
    0xeb, 0xfe,  // jmp $
};

inline constexpr std::uint8_t reset_by_port_92[] = {
    0xb0, 0x01,  // mov al,1
    0xe6, 0x92,  // out 0x92,al
    0xeb, 0xfe,  // jmp $
};

// Says R, then sends back what it gets at COM1, until a q, which ends it with code 15.
inline constexpr std::uint8_t echo_serial[] = {
    0x66, 0xba, 0xfc, 0x03,  //  0: mov dx,0x3fc
    0xb0, 0x03,              //  4: mov al,3: DTR and RTS
    0xee,                    //  6: out dx,al
    0xb3, 0x52,              //  7: mov bl,'R'
    0xeb, 0x14,              //  9: jmp 1f
    0x66, 0xba, 0xfd, 0x03,  //  b: mov dx,0x3fd
    0xec,                    //  f: in al,dx
    0xa8, 0x01,              // 10: test al,1
    0x74, 0xf7,              // 12: je b
    0x66, 0xba, 0xf8, 0x03,  // 14: mov dx,0x3f8
    0xec,                    // 18: in al,dx
    0x88, 0xc3,              // 19: mov bl,al
    0x3c, 0x71,              // 1b: cmp al,'q'
    0x74, 0x12,              // 1d: je 31
    0x66, 0xba, 0xfd, 0x03,  // 1f: mov dx,0x3fd
    0xec,                    // 23: in al,dx
    0xa8, 0x20,              // 24: test al,0x20
    0x74, 0xfb,              // 26: je 23
    0x66, 0xba, 0xf8, 0x03,  // 28: mov dx,0x3f8
    0x88, 0xd8,              // 2c: mov al,bl
    0xee,                    // 2e: out dx,al
    0xeb, 0xda,              // 2f: jmp b
    0x66, 0xba, 0x01, 0x05,  // 31: mov dx,0x501
    0xb0, 0x07,              // 35: mov al,7
    0xee,                    // 37: out dx,al
    0xf4,                    // 38: hlt
};
// clang-format on

struct Sleep {
    double seconds = 0;  // as the guest says
    GuestSession::Clock::duration on_host{};
    std::chrono::milliseconds cpu_time{};
};

// `time sleep SECONDS` in a shell: of several times the first that the host did not keep waiting.
inline Sleep measured_sleep(GuestSession& session, int seconds) {
    Sleep sleep;
    for (int attempt = 0; attempt < 20; ++attempt) {
        const auto started = GuestSession::Clock::now();
        const auto used = session.cpu_time();
        const std::string said = session.shell("time sleep " + std::to_string(seconds));
        sleep.on_host = GuestSession::Clock::now() - started;
        sleep.cpu_time = session.cpu_time() - used;
        if (std::sscanf(said.c_str(), "real\t0m %lfs", &sleep.seconds) != 1) {
            ADD_FAILURE() << said;
            break;
        }
        if (sleep.seconds < seconds + 0.1 && sleep.on_host < std::chrono::seconds{seconds + 5})
            break;
    }
    return sleep;
}

// Arguments that boot such a guest.
inline std::vector<std::string> flat_guest(std::span<const std::uint8_t> code,
                                           std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"--kernel", write_flat_kernel(temp_path("kernel"), code)});
    return more;
}

}  // namespace backplane::test
