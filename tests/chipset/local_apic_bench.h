// A local APIC with an 8259, another local APIC and an I/O APIC around it.
#pragma once

#include "chip_bench.h"
#include "local_apic.h"

#include <optional>
#include <vector>

namespace backplane::chipset {
using namespace literals;
inline constexpr std::uint64_t id = 0x20, version = 0x30, tpr = 0x80, apr = 0x90, ppr = 0xa0,
                               eoi = 0xb0, ldr = 0xd0, dfr = 0xe0, svr = 0xf0;
inline constexpr std::uint64_t isr = 0x100, tmr = 0x180, irr = 0x200, esr = 0x280, icr_low = 0x300,
                               icr_high = 0x310;
inline constexpr std::uint64_t lvt_timer = 0x320, lvt_lint0 = 0x350, lvt_lint1 = 0x360,
                               lvt_error = 0x370;
inline constexpr std::uint64_t initial_count = 0x380, current_count = 0x390, divide = 0x3e0;
inline constexpr std::uint32_t masked = 0x10000, level = 0x8000;

class LocalApicTest : public ::testing::Test {
protected:
    void start(std::vector<Setting> settings = {}) {
        bench.emplace(type_of<LocalApic>(), std::move(settings));
        bench->connect("external", pic)
            .connect("processors", other)
            .connect("end-of-interrupt", ends);
        ASSERT_TRUE(bench->power_on());
        controller = bench->service<backplane_interrupt_controller>("controller");
    }
    void SetUp() override {
        start();
        write(svr, 0x1ff);
    }

    std::uint32_t read(std::uint64_t offset) {
        return static_cast<std::uint32_t>(
            controller.call<&backplane_interrupt_controller::read>(offset, 4u));
    }
    void write(std::uint64_t offset, std::uint32_t value) {
        controller.call<&backplane_interrupt_controller::write>(offset, 4u, std::uint64_t{value});
    }
    int acknowledge() { return controller.call<&backplane_interrupt_controller::acknowledge>(); }
    bool send(const InterruptMessage& message) {
        return bench->service<backplane_message_interrupt>("messages")
                   .call<&backplane_message_interrupt::send>(message.address(), message.data()) !=
               0;
    }
    bool send(std::uint8_t vector, bool level_triggered = false) {
        return send({.vector = vector, .level_triggered = level_triggered});
    }
    bool requested() { return bench->level("intr"); }
    bool is_set(std::uint64_t base, unsigned vector) {
        return (read(base + vector / 32 * 16) >> vector % 32 & 1) != 0;
    }
    // Nothing: #GP.
    std::optional<std::uint64_t> read_msr(std::uint32_t index) {
        std::uint64_t value = 0;
        if (!controller.call<&backplane_interrupt_controller::read_msr>(index, &value))
            return std::nullopt;
        return value;
    }
    bool write_msr(std::uint32_t index, std::uint64_t value) {
        return controller.call<&backplane_interrupt_controller::write_msr>(index, value) != 0;
    }
    bool write_base(std::uint64_t value) { return write_msr(0x1b, value); }
    std::uint64_t read_base() { return read_msr(0x1b).value_or(0); }
    int take_startup() { return controller.call<&backplane_interrupt_controller::take_startup>(); }

    testing::FakeInterruptController pic;
    testing::RecordedMessages other;
    testing::RecordedEnds ends;
    std::optional<DeviceBench> bench;
    Connection<backplane_interrupt_controller> controller;
};

}  // namespace backplane::chipset
