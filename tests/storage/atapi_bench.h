// A CD-ROM drive as the secondary master, and the host's side of the packet protocol.
#pragma once

#include "atapi_cdrom.h"
#include "ide_bench.h"
#include "packet_commands.h"

#include <array>

namespace backplane::storage {

using Packet = std::array<std::uint8_t, 12>;

inline constexpr Packet read_10(std::uint32_t block, std::uint16_t count) {
    return {packet_command::read_10,
            0,
            static_cast<std::uint8_t>(block >> 24),
            static_cast<std::uint8_t>(block >> 16),
            static_cast<std::uint8_t>(block >> 8),
            static_cast<std::uint8_t>(block),
            0,
            static_cast<std::uint8_t>(count >> 8),
            static_cast<std::uint8_t>(count)};
}

class CdBench {
public:
    explicit CdBench(std::size_t bytes = 400 * 2048, std::vector<Setting> settings = {})
        : image{bytes}, cdrom{Declaration<AtapiCdrom>::device_type(), std::move(settings), &clock},
          controller{Declaration<IdeController>::device_type(), {}, &clock} {
        fill_with_pattern(image);
        image.is_removable = image.is_read_only = true;
        cdrom.connect("image", image);
        controller.connect("secondary-master", cdrom, "ata");
        if (!cdrom.power_on() || !controller.power_on()) throw std::runtime_error{cdrom.failure()};
        port = std::make_unique<HostPort>(controller, "secondary");
    }

    // Data in as many blocks as the drive makes of them; their sizes are in `blocks`.
    struct Answer {
        Data data;
        std::vector<unsigned> blocks;
        std::uint8_t status = 0, error = 0;
        bool operator==(const Answer&) const = default;
    };

    Answer send(const Packet& packet, std::uint16_t limit = 0xfffe, const Data& parameters = {}) {
        port->select(0);
        port->command.write8(1, 0);
        port->command.write8(4, static_cast<std::uint8_t>(limit));
        port->command.write8(5, static_cast<std::uint8_t>(limit >> 8));
        port->issue(ata_command::packet);
        EXPECT_EQ(port->status() & (ata_status::bsy | ata_status::drq), ata_status::drq);
        EXPECT_EQ(port->count(), interrupt_reason::cod);
        port->write_block(packet);
        Answer answer;
        std::size_t sent = 0;
        while (true) {
            EXPECT_TRUE(port->irq());
            answer.status = port->status();
            answer.error = port->error();
            if ((answer.status & ata_status::drq) == 0) break;
            const unsigned bytes = port->byte_count();
            answer.blocks.push_back(bytes);
            if (port->count() == interrupt_reason::io) {
                const Data block = port->read_block(bytes);
                answer.data.insert(answer.data.end(), block.begin(), block.end());
            } else {
                EXPECT_EQ(port->count(), 0);
                port->write_block(std::span{parameters}.subspan(sent, bytes));
                sent += bytes;
            }
        }
        EXPECT_EQ(port->count(), interrupt_reason::io | interrupt_reason::cod);
        return answer;
    }

    // Key, code and qualifier of the last failure.
    std::array<int, 3> sense() {
        const Data data = send({packet_command::request_sense, 0, 0, 0, 18}).data;
        return {data.at(2), data.at(12), data.at(13)};
    }

    // After power-on the first command is refused.
    CdBench& ready_for_commands() {
        (void)sense();
        return *this;
    }

    FakeClock clock;
    FakeBlock image;
    DeviceBench cdrom, controller;
    std::unique_ptr<HostPort> port;
};

}  // namespace backplane::storage
