// A floppy controller with two drives, disks in memory and a DMA channel, and the host's side of
// the protocol: what a driver does, byte by byte.
#pragma once

#include "fake_dma_channel.h"
#include "fdc82077.h"
#include "fdc_registers.h"
#include "floppy_drive.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_block.h>
#include <backplane/testing/round_trip.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace backplane::storage {

using namespace std::chrono_literals;
using testing::DeviceBench;
using testing::FakeBlock;
using testing::FakeClock;
using testing::Setting;
using Data = std::vector<std::uint8_t>;

class FloppyBench {
public:
    static constexpr std::uint8_t motor_0 = 0x1c, motor_1 = 0x2d;  // with DMA, not reset
    static constexpr Duration longest{3s};

    explicit FloppyBench(std::size_t size = 1474560, std::vector<Setting> drive_settings = {},
                         std::vector<Setting> settings = {})
        : image{size},
          drive{Declaration<FloppyDrive>::device_type(), std::move(drive_settings), &clock},
          second{Declaration<FloppyDrive>::device_type(), {}, &clock},
          fdc{Declaration<Fdc82077>::device_type(), std::move(settings), &clock} {
        for (std::size_t at = 0; at < image.bytes.size(); ++at)
            image.bytes[at] = static_cast<std::uint8_t>(at * 7 + at / 512 * 13 + at / 65536);
        drive.connect("image", image);
        second.connect("image", second_image);
        fdc.connect("drive0", drive, "cable").connect("drive1", second, "cable");
        fdc.connect("dma", dma);
    }

    // Powered on, out of reset, motor 0 on and up to speed, recalibrated, at 500 kbit/s.
    FloppyBench& on(std::uint8_t rate = 0) {
        power_on();
        write_dor(motor_0);
        fdc.advance(1s);
        for (int sense = 0; sense < 4; ++sense)
            command({0x08});
        command({0x03, 0xdf, 0x02});  // 3 ms a step, 240 ms until unload, 2 ms load, DMA
        set_rate(rate);
        command({0x07, 0});
        fdc.advance(longest);
        command({0x08});
        return *this;
    }
    void power_on() {
        if (!drive.power_on()) throw std::runtime_error{drive.failure()};
        if (!second.power_on() || !fdc.power_on()) throw std::runtime_error{fdc.failure()};
    }

    std::uint8_t read(unsigned reg) { return fdc.window("registers").read8(reg); }
    void write(unsigned reg, std::uint8_t value) { fdc.window("registers").write8(reg, value); }
    std::uint8_t dir() { return fdc.window("digital-input").read8(0); }
    void set_rate(std::uint8_t rate) { fdc.window("digital-input").write8(0, rate); }
    void write_dor(std::uint8_t value) { write(2, value); }
    std::uint8_t msr() { return read(4); }
    bool irq() { return fdc.level("irq"); }

    // All bytes of a command, and those of its result if there is one at once.
    Data command(std::initializer_list<std::uint8_t> bytes) {
        for (const std::uint8_t byte : bytes) {
            EXPECT_EQ(msr() & 0xc0, 0x80) << "ready for byte " << int{byte};
            write(5, byte);
        }
        return result();
    }
    Data result() {
        Data bytes;
        while ((msr() & 0xd0) == 0xd0 && (msr() & 0x20) == 0)
            bytes.push_back(read(5));
        return bytes;
    }
    // And after it has come to its end.
    Data run(std::initializer_list<std::uint8_t> bytes, Duration limit = longest) {
        command(bytes);
        wait_for_irq(limit);
        return result();
    }
    bool wait_for_irq(Duration limit = longest) {
        for (Duration waited{0}; waited < limit && !irq(); waited += 100us)
            fdc.advance(100us);
        return irq();
    }
    Data seek(std::uint8_t cylinder, std::uint8_t which = 0) {
        command({0x0f, which, cylinder});
        wait_for_irq();
        return command({0x08});
    }

    std::size_t place(unsigned cylinder, unsigned head, unsigned record) const {
        return ((cylinder * 2 + head) * 18 + record - 1) * 512;
    }
    Data sectors(unsigned cylinder, unsigned head, unsigned record, unsigned count = 1) const {
        const auto begin = image.bytes.begin() +
                           static_cast<std::ptrdiff_t>(place(cylinder, head, record));
        return {begin, begin + std::ptrdiff_t{512} * count};
    }

    FakeClock clock;
    FakeBlock image, second_image{737280};
    FakeDmaChannel dma;
    DeviceBench drive, second, fdc;
};

inline Data pattern(std::size_t bytes, std::uint8_t first = 0x31) {
    Data data(bytes);
    for (std::size_t at = 0; at < bytes; ++at)
        data[at] = static_cast<std::uint8_t>(first + at * 3 + at / 512);
    return data;
}

}  // namespace backplane::storage
