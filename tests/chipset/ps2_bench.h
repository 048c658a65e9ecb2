// The two ends of a PS/2 wire, for tests of what is at the other end.
#pragma once

#include "chip_bench.h"

#include <backplane/abi/input.h>
#include <backplane/abi/ps2.h>

#include <deque>
#include <vector>

namespace backplane::chipset {

// A device that sends what the test gives it.
class FakePs2Device {
public:
    backplane_link link() {
        static constexpr backplane_ps2 functions{
            sizeof(backplane_ps2), 0,
            [](void* object, const backplane_ps2_host* host) { self(object).host_ = *host; },
            [](void* object) -> std::int32_t {
                auto& bytes = self(object).bytes;
                if (bytes.empty()) return -1;
                const std::uint8_t value = bytes.front();
                bytes.pop_front();
                return value;
            },
            [](void* object, std::uint8_t value) { self(object).written.push_back(value); }};
        return {&functions, this};
    }

    void send(std::initializer_list<std::uint8_t> values) {
        bytes.insert(bytes.end(), values);
        host_.byte_ready(host_.user);
    }

    std::deque<std::uint8_t> bytes;
    std::vector<int> written;

private:
    static FakePs2Device& self(void* object) { return *static_cast<FakePs2Device*>(object); }
    backplane_ps2_host host_{};
};

// A keyboard or mouse on a bench, with the test in the place of the controller.
class Ps2DeviceBench {
public:
    explicit Ps2DeviceBench(const backplane_device_type* type, std::vector<Setting> settings = {})
        : bench{type, std::move(settings)}, plug{bench.service<backplane_ps2>("plug")},
          input{bench.service<backplane_input>("input")} {
        const backplane_ps2_host host{sizeof host, 0,
                                      [](void* user) { ++*static_cast<int*>(user); }, &announced};
        plug.call<&backplane_ps2::attach>(&host);
        bench.power_on();
    }

    // All that the device has to send.
    std::vector<int> read() {
        std::vector<int> bytes;
        for (std::int32_t value; (value = plug.call<&backplane_ps2::read>()) >= 0;)
            bytes.push_back(value);
        return bytes;
    }

    // What it answers to a command and its parameters, each acknowledged before the next.
    std::vector<int> write(std::initializer_list<std::uint8_t> values) {
        std::vector<int> answers;
        for (const std::uint8_t value : values) {
            plug.call<&backplane_ps2::write>(value);
            for (const int answer : read())
                answers.push_back(answer);
        }
        return answers;
    }

    void send(std::initializer_list<backplane_input_event> events) {
        input.call<&backplane_input::send>(events.begin(),
                                           static_cast<std::uint32_t>(events.size()));
    }
    void press(std::uint16_t code) { send({{BACKPLANE_INPUT_KEY, code, 1}}); }
    void release(std::uint16_t code) { send({{BACKPLANE_INPUT_KEY, code, 0}}); }

    DeviceBench bench;
    Connection<backplane_ps2> plug;
    Connection<backplane_input> input;
    int announced = 0;  // calls of byte_ready
};

}  // namespace backplane::chipset
