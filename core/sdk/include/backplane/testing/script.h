// Any bytes as a script of things that can happen to a device: register accesses, moving lines,
// messages, time passing. For fuzz targets and for tests with random bytes; whatever the script
// says is legal, so a crash is the device's fault.
#pragma once

#include <backplane/testing/device_bench.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace backplane::testing {

class Script {
public:
    explicit Script(DeviceBench& bench) : bench_{bench} {
        const auto& type = bench.type();
        for (std::uint32_t port = 0; port < type.port_count; ++port) {
            const auto& entry = type.ports[port];
            if (entry.role != BACKPLANE_PROVIDES) continue;
            for (std::uint32_t element = 0; element < entry.count; ++element)
                targets_.push_back(
                    {entry.name + (entry.count > 1 ? "." + std::to_string(element) : std::string{}),
                     entry.interface_id});
        }
    }

    void play(std::span<const std::uint8_t> bytes) {
        rest_ = bytes;
        while (!rest_.empty()) {
            const std::uint8_t what = take8();
            if (what < 0x0c)
                bench_.advance(Duration{std::int64_t{1} << take8() % 20});
            else if (what < 0x0e)
                bench_.clock().jump(Duration{std::int64_t{1} << take8() % 36});
            else if (what == 0x0e)
                bench_.reset();
            else if (!targets_.empty())
                act(targets_[what % targets_.size()]);
        }
    }

private:
    struct Target {
        std::string port;
        std::string interface_id;
    };

    std::uint8_t take8() {
        if (rest_.empty()) return 0;
        const std::uint8_t value = rest_.front();
        rest_ = rest_.subspan(1);
        return value;
    }

    std::uint32_t take32() {
        return take8() | take8() << 8 | take8() << 16 | static_cast<std::uint32_t>(take8()) << 24;
    }

    void act(const Target& target) {
        if (target.interface_id == BACKPLANE_LINE)
            bench_.set_line(target.port, (take8() & 1) != 0);
        else if (target.interface_id == BACKPLANE_PORT_WINDOW ||
                 target.interface_id == BACKPLANE_MEMORY_WINDOW)
            access(target);
        else if (target.interface_id == BACKPLANE_INTERRUPT_CONTROLLER)
            use_controller(target);
        else if (target.interface_id == BACKPLANE_MESSAGE_INTERRUPT)
            bench_.service<backplane_message_interrupt>(target.port)
                .call<&backplane_message_interrupt::send>(
                    std::uint64_t{0xfee00000} | (take32() & 0xfffff), take32());
        else if (target.interface_id == BACKPLANE_END_OF_INTERRUPT)
            bench_.service<backplane_end_of_interrupt>(target.port)
                .call<&backplane_end_of_interrupt::end>(take8());
        else if (target.interface_id == BACKPLANE_INPUT)
            use_input(target);
        else if (target.interface_id == BACKPLANE_PS2)
            use_ps2(target);
        else if (target.interface_id == BACKPLANE_DMA_CHANNEL)
            bench_.service<backplane_dma_channel>(target.port)
                .call<&backplane_dma_channel::request>(take8() & 1);
        else if (target.interface_id == BACKPLANE_SMBUS_DEVICE)
            use_smbus(target);
    }

    // Mostly at the addresses of memory modules.
    void use_smbus(const Target& target) {
        const auto device = bench_.service<backplane_smbus_device>(target.port);
        const std::uint8_t how = take8();
        if ((how & 0x40) != 0)
            device.call<&backplane_smbus_device::start>(
                static_cast<std::uint8_t>(0x50 | (how & 0x07)), how >> 3 & 1);
        else if ((how & 0x20) != 0)
            device.call<&backplane_smbus_device::write>(take8());
        else if ((how & 0x10) != 0)
            device.call<&backplane_smbus_device::stop>();
        else
            device.call<&backplane_smbus_device::read>();
    }

    // Real keys, axes and buttons mostly.
    void use_input(const Target& target) {
        const auto input = bench_.service<backplane_input>(target.port);
        const std::uint8_t how = take8();
        std::array<backplane_input_event, 3> events{};
        for (auto& event : events) {
            event.type = how % 4;
            event.code = (how & 0x10) != 0 ? BACKPLANE_BUTTON_LEFT + take8() % 8 : take8();
            event.value = event.type == BACKPLANE_INPUT_KEY ? take8() & 1
                                                            : static_cast<std::int32_t>(take32());
        }
        input.call<&backplane_input::send>(events.data(), how >> 2 & 3u);
        input.call<&backplane_input::room>();
    }

    void use_ps2(const Target& target) {
        const auto plug = bench_.service<backplane_ps2>(target.port);
        const std::uint8_t how = take8();
        if (how % 4 == 0)
            plug.call<&backplane_ps2::write>(static_cast<std::uint8_t>(0xe0 | take8()));
        else if (how % 4 == 1)
            plug.call<&backplane_ps2::write>(take8());
        else
            plug.call<&backplane_ps2::read>();
    }

    // Small offsets mostly, where registers are.
    void access(const Target& target) {
        const auto window = bench_.window(target.port);
        if (window.size() == 0) return;
        const std::uint8_t how = take8();
        const std::uint32_t size = 1u << (how >> 1 & 3);
        const std::uint64_t offset = (how & 0x80) != 0 ? take32() : take8();
        if (size > window.size()) return;
        const std::uint64_t at = offset % (window.size() - size + 1);
        if ((how & 1) != 0)
            window.write(at, size, take32());
        else
            window.read(at, size);
    }

    void use_controller(const Target& target) {
        const auto controller = bench_.service<backplane_interrupt_controller>(target.port);
        const std::uint8_t how = take8() % 8;
        std::uint64_t value = 0;
        if (how == 0)
            controller.call<&backplane_interrupt_controller::acknowledge>();
        else if (controller->read == nullptr)
            return;
        else if (how < 3)
            controller.call<&backplane_interrupt_controller::read>(std::uint64_t{take8()} * 4, 4u);
        else if (how < 6)
            controller.call<&backplane_interrupt_controller::write>(std::uint64_t{take8()} * 4, 4u,
                                                                    std::uint64_t{take32()});
        else if (how == 6)
            controller.call<&backplane_interrupt_controller::set_task_priority>(
                static_cast<std::uint8_t>(take8() & 0xf));
        else if (controller.call<&backplane_interrupt_controller::read_msr>(std::uint32_t{0x1b},
                                                                            &value) != 0)
            controller.call<&backplane_interrupt_controller::write_msr>(
                std::uint32_t{0x1b}, value ^ (std::uint64_t{take8()} << 8));
    }

    DeviceBench& bench_;
    std::vector<Target> targets_;
    std::span<const std::uint8_t> rest_;
};

}  // namespace backplane::testing
