// The bytes are what a guest does to an IDE controller with a disk and a CD-ROM drive: accesses to
// its ports and to configuration space, changed media, errors of the images, time passing. After it
// all of them must survive a snapshot, and go on as without one.
#include "ata_disk.h"
#include "atapi_cdrom.h"
#include "input.h"
#include "pci_ide.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_block.h>
#include <backplane/testing/fake_pci_slot.h>
#include <backplane/testing/round_trip.h>

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
using backplane::Declaration;

constexpr std::uint64_t bus_master = 0xc000;

class Subject {
public:
    Subject()
        : disk{Declaration<AtaDisk>::device_type(), {}, &clock},
          cdrom{Declaration<AtapiCdrom>::device_type(), {}, &clock},
          controller{Declaration<Piix4Ide>::device_type(), {}, &clock} {
        slot.memory.memory.resize(128 << 10);  // of which clearing is most of a run's cost
        slot.memory.memory.shrink_to_fit();
        for (std::size_t at = 0; at < disk_image.bytes.size(); ++at)
            disk_image.bytes[at] = static_cast<std::uint8_t>(at >> 8);
        cd_image.is_read_only = cd_image.is_removable = true;
        disk.connect("image", disk_image);
        cdrom.connect("image", cd_image);
        controller.connect("slot", slot)
            .connect("primary-master", disk, "ata")
            .connect("primary-slave", cdrom, "ata");
        if (!disk.power_on() || !cdrom.power_on() || !controller.power_on()) std::abort();
        slot.write_config(0x20, 4, bus_master);
        slot.enable();
    }

    void play(Input& input, std::size_t most) {
        for (std::size_t step = 0; step < most && !input.is_empty(); ++step)
            act(input);
    }

    FakeClock clock;
    FakeBlock disk_image{300 * 512}, cd_image{70 * 2048 + 512};
    FakePciSlot slot;
    DeviceBench disk, cdrom, controller;

private:
    void act(Input& input) {
        const std::uint8_t what = input.take8();
        switch (what & 0x0f) {
        case 0:
        case 1: out(0x1f1 + input.take8() % 7, input.take8()); break;
        case 2: in(0x1f1 + input.take8() % 7); break;
        case 3: issue(input); break;
        case 4:
        case 5: packet(input, what >> 4); break;
        case 6: string_access(what >> 4); break;
        case 7: slot.io.write(0x1f0, what & 0x10 ? 2 : 4, input.take32()); break;
        case 8: slot.io.write(bus_master + input.take8() % 16, 1, input.take8()); break;
        case 9: set_table(input); break;
        case 10: clock.advance(backplane::Duration{std::int64_t{1} << (what >> 4) * 2}); break;
        case 11: out(0x3f6, input.take8()); break;
        case 12: change_images(what >> 4, input); break;
        case 13:
            slot.write_config(input.take8() & 0xfc, 4, input.take32());
            slot.write_config(0x20, 4, bus_master);
            if (what & 0x40) slot.enable();
            break;
        case 14: finish(what >> 4); break;
        default:
            if (what == 0xff) controller.reset();
        }
    }

    void out(std::uint64_t port, std::uint8_t value) { slot.io.write(port, 1, value); }
    void in(std::uint64_t port) { slot.io.read(port, 1); }

    void issue(Input& input) {
        for (std::uint64_t port = 0x1f1; port < 0x1f8; ++port)
            out(port, input.take8());
        out(bus_master, input.take8());
    }

    void packet(Input& input, unsigned how) {
        out(0x1f6, 0x10);
        out(0x1f1, how & 1);
        out(0x1f4, how & 2 ? 0xff : input.take8());
        out(0x1f5, how & 4 ? 0x7f : input.take8());
        out(0x1f7, 0xa0);
        for (int word = 0; word < 6; ++word) {
            const std::uint8_t low = input.take8();
            slot.io.write(0x1f0, 2, low | input.take8() << 8);
        }
    }

    void string_access(unsigned how) {
        const auto window = controller.window("primary");
        std::vector<std::byte> data(std::size_t{1} << how);
        if (how & 1)
            window.write_many(0, 2, data);
        else
            window.read_many(0, how & 2 ? 2 : 4, data);
    }

    void set_table(Input& input) {
        for (std::uint64_t at = 0; at < 32; at += 4)
            slot.memory.write(0x100 + at, 4, input.take32() & 0x8003ffff);
        slot.io.write(bus_master + 4, 4, input.take8() & 1 ? 0x100 : input.take32());
    }

    void change_images(unsigned how, Input& input) {
        switch (how % 5) {
        case 0: cd_image.change_medium(std::nullopt); break;
        case 1: cd_image.change_medium(std::vector<std::uint8_t>(input.take8() * 512u)); break;
        case 2: cd_image.press_eject(); break;
        case 3: {
            const std::uint64_t at = input.take8() * 512u;
            disk_image.bad = cd_image.bad = {at, at + 512};
            disk_image.failure = 1 + input.take8() % 6;
            if (disk_image.failure == BACKPLANE_BLOCK_PENDING)
                disk_image.failure = BACKPLANE_BLOCK_FAILED;
            break;
        }
        default:
            disk_image.holds = cd_image.holds = (how & 8) != 0;
            if ((how & 4) != 0) disk_image.resize(input.take8() * 512u);
        }
    }

    void finish(unsigned how) {
        if (how & 1) disk_image.finish_one();
        if (how & 2) cd_image.finish_one();
        if (how & 4) disk.host().run_posted();
    }
};

std::string difference(Subject& first, Subject& second) {
    for (const auto& [a, b] :
         {std::pair{&first.disk, &second.disk}, std::pair{&first.cdrom, &second.cdrom},
          std::pair{&first.controller, &second.controller}})
        if (auto text = state_difference(a->save(), b->save()); !text.empty())
            return a->type().name + (": " + text);
    return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Subject first;
    Input input{std::span{data, size}};
    first.play(input, size / 4);
    // What the images hold back cannot be saved: it is done before.
    first.disk_image.finish_all(), first.cd_image.finish_all();
    first.disk_image.holds = first.cd_image.holds = false;

    Subject second;
    const auto copy = [](FakeBlock& to, const FakeBlock& from) {
        to.bytes = from.bytes;
        to.has_medium = from.has_medium;
        to.bad = from.bad;
        to.failure = from.failure;
    };
    copy(second.disk_image, first.disk_image), copy(second.cd_image, first.cd_image);
    second.slot.memory.memory = first.slot.memory.memory;
    second.clock.set(first.clock.now());
    second.disk.restore(first.disk.save());
    second.cdrom.restore(first.cdrom.save());
    second.controller.restore(first.controller.save());
    std::string text = difference(first, second);
    if (text.empty()) {
        Input again = input;
        first.play(input, 64);
        second.play(again, 64);
        text = difference(first, second);
    }
    if (text.empty()) return 0;
    std::fprintf(stderr, "%s\n", text.c_str());
    std::abort();
}
