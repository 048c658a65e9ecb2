// The bytes are what a guest does to a virtio disk: registers of both interfaces, configuration
// space, rings of both layouts with anything in them, requests, and what happens to the image
// meanwhile. After it the disk must survive a snapshot, and go on as without one.
#include "input.h"
#include "virtio_blk.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_block.h>
#include <backplane/testing/round_trip.h>
#include <backplane/testing/virtio_driver.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace backplane::storage;
using namespace backplane::testing;
namespace virtio = backplane::virtio;
using backplane::Declaration;

// Where everything is. Rings of 8, one behind the other in all layouts.
constexpr std::uint64_t rings = 0x1000, headers = 0x4000, data = 0x5000;
constexpr std::uint16_t ring_size = 8;

class Subject {
public:
    Subject()
        : disk{Declaration<VirtioBlk>::device_type(),
               {{"queues", 2}, {"queue-size", ring_size}},
               &clock} {
        slot.memory.memory.resize(64 << 10);  // of which clearing is most of a run's cost
        slot.memory.memory.shrink_to_fit();
        disk.connect("image", image);
        disk.connect("slot", slot);
        if (!disk.power_on()) std::abort();
        driver.emplace(slot);
    }

    void play(Input& input, std::size_t most) {
        for (std::size_t step = 0; step < most && !input.is_empty(); ++step)
            act(input);
    }

    FakeClock clock;
    FakeBlock image{64 * 512};
    FakePciSlot slot;
    DeviceBench disk;
    std::optional<VirtioDriver> driver;
    std::uint64_t features = 0;

private:
    void act(Input& input) {
        const std::uint8_t what = input.take8();
        const unsigned how = what >> 4;
        switch (what & 0x0f) {
        case 0: begin(how, input); break;
        case 1:
        case 2: add_request(how, input); break;
        case 3:
        case 4: write_descriptor(how, input); break;
        case 5: make_available(how, input); break;
        case 6: driver->notify(how & 1); break;
        case 7: poke(rings + input.take16() % 0x3000, how, input.take32()); break;
        case 8: poke(VirtioDriver::registers_at + input.take8(), how, input.take32()); break;
        case 9:
            poke(VirtioDriver::registers_at + input.take16() % 0x8000, how, input.take32());
            break;
        case 10: use_ports(how, input); break;
        case 11: write_config(how, input); break;
        case 12: change_image(how, input); break;
        case 13: clock.advance(backplane::Duration{std::int64_t{1} << how}); break;
        case 14: look(how, input); break;
        default:
            if (how == 15) disk.reset();
            if (how == 14) slot.enable();
            if (how == 13) disk.host().run_posted();
        }
    }

    // A driver that begins as it should, in one of the layouts.
    void begin(unsigned how, Input& input) {
        features = virtio::feature::version_1 | (input.take8() & 0xff) << 8;
        if ((how & 1) != 0) features |= virtio::feature::ring_packed;
        if ((how & 2) != 0) features |= virtio::feature::event_index;
        if ((how & 4) != 0) features |= virtio::feature::indirect_descriptors;
        if ((how & 8) != 0) features |= virtio::feature::ring_reset;
        features &= driver->offered();
        slot.write_config(0x20, 4, VirtioDriver::registers_at);
        slot.write_config(0x10, 4, VirtioDriver::legacy_at);
        slot.enable();
        driver->negotiate(features);
        place_queue(0);
        place_queue(1);
        driver->ready();
    }

    void place_queue(unsigned queue) {
        driver->set_common(0x16, 2, queue);
        driver->set_common(0x20, 8, descriptors(queue));
        driver->set_common(0x28, 8, driver_area(queue));
        driver->set_common(0x30, 8, device_area(queue));
        for (std::uint64_t at = descriptors(queue); at < descriptors(queue) + 0x180; at += 8)
            slot.memory.write(at, 8, 0);
        driver->set_common(0x1c, 2, 1);
    }

    static std::uint64_t descriptors(unsigned queue) { return rings + queue * 0x1000; }
    static std::uint64_t driver_area(unsigned queue) { return descriptors(queue) + 16 * ring_size; }
    static std::uint64_t device_area(unsigned queue) { return driver_area(queue) + 0x40; }

    void write_header(unsigned number, Input& input) {
        slot.memory.write(headers + number * 16, 4, input.take8() % 16);
        slot.memory.write(headers + number * 16 + 8, 8, input.take8() % 70);
    }

    // A request as it should be, in three descriptors from place `number` on.
    void add_request(unsigned how, Input& input) {
        const unsigned queue = how & 1, number = (how >> 1) % 3 * 2;
        const bool is_packed = (features & virtio::feature::ring_packed) != 0;
        write_header(number, input);
        const std::uint32_t length = input.take8() % 3 * 512u + (how == 15 ? 1 : 0);
        const bool reads = slot.memory.read(headers + number * 16, 4) == 0;
        const unsigned wraps = (how & 8) != 0 ? 0x0080 : 0x8000;
        const auto put = [&](unsigned at, std::uint64_t address, std::uint32_t bytes,
                             unsigned flags, unsigned next) {
            const std::uint64_t place = descriptors(queue) + 16ull * (at % ring_size);
            slot.memory.write(place, 8, address);
            slot.memory.write(place + 8, 4, bytes);
            slot.memory.write(place + 12, 2, is_packed ? number : flags);
            slot.memory.write(place + 14, 2, is_packed ? flags | wraps : next % ring_size);
        };
        put(number + 2, headers + 0x800 + number, 1, 2, 0);
        put(number + 1, data, length, reads ? 3 : 1, number + 2);
        put(number, headers + number * 16, 16, 1, number + 1);
        if (!is_packed) hand_over(queue, number);
        driver->notify(queue);
    }

    void hand_over(unsigned queue, unsigned head) {
        const std::uint64_t at = driver_area(queue);
        const auto index = slot.memory.read(at + 2, 2);
        slot.memory.write(at + 4 + index % ring_size * 2, 2, head);
        slot.memory.write(at + 2, 2, index + 1);
    }

    void write_descriptor(unsigned how, Input& input) {
        const std::uint64_t table = (how & 2) != 0 ? rings + 0x2000 : descriptors(how & 1);
        const std::uint64_t place = table + input.take8() % (ring_size + 1) * 16ull;
        std::uint64_t address = input.take16();
        if ((how & 4) != 0) address = rings + 0x2000 + address % 0x100;
        if ((how & 8) != 0) address = VirtioDriver::registers_at + address % 0x8000;
        slot.memory.write(place, 8, address);
        const std::uint8_t length = input.take8();
        slot.memory.write(place + 8, 4, length == 0xff ? input.take32() : length * 16u);
        slot.memory.write(place + 12, 2, input.take8() % 16);
        slot.memory.write(place + 14, 2, input.take16() & 0x808f);
    }

    void make_available(unsigned how, Input& input) {
        if ((how & 2) != 0)
            slot.memory.write(driver_area(how & 1) + 2, 2, input.take8());
        else
            hand_over(how & 1, input.take8() % (ring_size + 1));
        driver->notify(how & 1);
    }

    // The host would split accesses to the message table that are wider than its entries' words.
    static std::uint32_t size_at(std::uint64_t address, unsigned how) {
        constexpr std::uint64_t message_table = VirtioDriver::registers_at + 0x4000;
        return 1u << (address >= message_table ? std::min(how % 4, 2u) : how % 4);
    }

    void poke(std::uint64_t address, unsigned how, std::uint32_t value) {
        const std::uint32_t size = size_at(address, how);
        address &= ~std::uint64_t{size - 1};
        slot.memory.write(address, size, (how & 4) != 0 ? value : value & 0xff);
    }

    void use_ports(unsigned how, Input& input) {
        const std::uint32_t size = 1u << how % 3;
        const std::uint64_t port = VirtioDriver::legacy_at + (input.take8() % 128 & ~(size - 1));
        if ((how & 8) != 0)
            slot.io.read(port, size);
        else if ((how & 4) != 0)  // the queue where the rings are
            slot.io.write(VirtioDriver::legacy_at + 8, 4, rings >> 12);
        else
            slot.io.write(port, size, input.take32());
    }

    void write_config(unsigned how, Input& input) {
        const std::uint32_t offset = input.take8() & 0xfcu;
        if ((how & 1) != 0)
            (void)slot.read_config(offset, 4);
        else
            slot.write_config(offset, 4, (how & 2) != 0 ? input.take32() : input.take8());
        // Registers stay where they can be found, but for a while.
        if ((how & 4) != 0) slot.write_config(0x20, 4, VirtioDriver::registers_at);
        if ((how & 8) != 0) slot.enable();
    }

    void change_image(unsigned how, Input& input) {
        switch (how % 6) {
        case 0: image.finish_one(); break;
        case 1: image.holds = !image.holds; break;
        case 2: {
            const std::uint64_t at = input.take8() % 64 * 512u;
            image.bad = {at, at + 512};
            break;
        }
        case 3: image.bad = {}; break;
        case 4: image.resize(input.take8() % 100 * 512u); break;
        default: image.finish_all();
        }
    }

    void look(unsigned how, Input& input) {
        const std::uint64_t address = VirtioDriver::registers_at + input.take16() % 0x8000;
        const std::uint32_t size = size_at(address, how);
        slot.memory.read(address & ~std::uint64_t{size - 1}, size);
    }
};

std::string difference(Subject& first, Subject& second) {
    if (first.slot.memory.memory != second.slot.memory.memory) return "memory differs";
    return state_difference(first.disk.save(), second.disk.save());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    Subject first;
    Input input{std::span{bytes, size}};
    // A snapshot costs more than all the rest: one in four is tried.
    const bool takes_snapshot = input.take8() % 4 == 0;
    first.play(input, size / 4);
    // What the image holds back may be answered differently: it is done before.
    first.image.finish_all();
    first.image.holds = false;
    first.image.finish_all();
    if (!takes_snapshot) return 0;

    Subject second;
    second.image.bytes = first.image.bytes;
    second.image.bad = first.image.bad;
    second.image.resize(first.image.bytes.size());
    second.slot.memory.memory = first.slot.memory.memory;
    second.features = first.features;
    second.clock.set(first.clock.now());
    second.disk.restore(first.disk.save());
    second.disk.host().run_posted();
    std::string text = difference(first, second);
    if (text.empty()) {
        Input again = input;
        first.play(input, 64);
        second.play(again, 64);
        first.image.finish_all();
        second.image.finish_all();
        text = difference(first, second);
    }
    if (text.empty()) return 0;
    std::fprintf(stderr, "%s\n", text.c_str());
    std::abort();
}
