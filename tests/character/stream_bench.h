// A stream under test between a fake device and real host files.
#pragma once

#include <backplane/declaration.h>
#include <backplane/testing/device_bench.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace backplane::character::testing {

using backplane::testing::DeviceBench;
using backplane::testing::Setting;

// What a serial port would be: takes `room` bytes, and keeps what it took.
class StreamBench {
public:
    StreamBench(const backplane_device_type* type, std::vector<Setting> settings)
        : bench{type, std::move(settings)} {}

    bool power_on() {
        if (!bench.power_on()) return false;
        receiver_.struct_size = sizeof receiver_;
        receiver_.room = [](void* user) { return self(user).room; };
        receiver_.receive = [](void* user, const std::uint8_t* data, std::uint32_t length) {
            self(user).received.append(reinterpret_cast<const char*>(data), length);
            self(user).room -= length;
        };
        receiver_.receive_break = [](void* user) { ++self(user).breaks; };
        receiver_.connection = [](void* user, std::int32_t connected) {
            self(user).connected = connected != 0;
        };
        receiver_.user = this;
        stream().call<&backplane_character::attach>(&receiver_);
        return true;
    }

    // Without an I/O loop: watches are refused, as in a deterministic machine.
    void refuse_input() {
        const_cast<backplane_host*>(bench.host().functions())->watch_readable =
            [](void*, int, void (*)(void*), void*) -> backplane_watch* { return nullptr; };
    }

    Connection<backplane_character> stream() {
        return bench.service<backplane_character>("stream");
    }

    std::uint32_t send(std::string_view text) {
        return stream().call<&backplane_character::send>(
            reinterpret_cast<const std::uint8_t*>(text.data()),
            static_cast<std::uint32_t>(text.size()));
    }

    void make_room(std::uint32_t bytes) {
        room = bytes;
        stream().call<&backplane_character::room_again>();
    }

    // Runs the I/O loop until `done`, for which a busy host may take its time.
    bool run_until(const std::function<bool()>& done) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes{2};
        while (true) {
            bench.host().run_posted();
            if (done()) return true;
            if (std::chrono::steady_clock::now() > deadline) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
    }

    // For what must not happen.
    void run_briefly() {
        for (int i = 0; i < 20; ++i) {
            bench.host().run_posted();
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        }
    }

    bool logged(std::string_view text) {
        for (const auto& line : bench.host().log_lines)
            if (line.text.find(text) != std::string::npos) return true;
        return false;
    }

    DeviceBench bench;
    std::string received;
    std::uint32_t room = 1 << 30;
    int breaks = 0;
    bool connected = false;

private:
    static StreamBench& self(void* user) { return *static_cast<StreamBench*>(user); }

    backplane_character_receiver receiver_{};
};

template <class T>
StreamBench stream_bench(std::vector<Setting> settings = {}) {
    return StreamBench{Declaration<T>::device_type(), std::move(settings)};
}

}  // namespace backplane::character::testing
