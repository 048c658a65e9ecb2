// Any bytes as what a guest may do to an AHCI controller with a disk and a CD-ROM drive, and the
// host to them: registers, command lists, tables and FISes in memory, resets in the middle of
// everything, drives pulled out and put in, errors of the images, time passing. After it all of
// them must survive a snapshot, and go on as without one.
#include "ahci_controller.h"
#include "ata_disk.h"
#include "atapi_cdrom.h"
#include "input.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_block.h>
#include <backplane/testing/fake_pci_slot.h>
#include <backplane/testing/round_trip.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace backplane::storage;
using namespace backplane::storage::ahci;
using namespace backplane::testing;
using backplane::Declaration;

constexpr std::uint64_t abar = 0xf0000000;
constexpr std::size_t memory_size = 64 << 10;
constexpr std::uint32_t lists = 0x1000, received = 0x2000, tables = 0x3000, table_size = 0x100;

// Commands that do something, more often than chance would have it.
constexpr std::array<std::uint8_t, 16> opcodes{0x60, 0x61, 0x60, 0x61, 0x25, 0x35, 0xc8, 0xca,
                                               0x24, 0x34, 0xa0, 0xec, 0x06, 0x2f, 0x47, 0xea};

class Subject {
public:
    Subject()
        : disk{Declaration<AtaDisk>::device_type(), {{"access-time", 1000}}, &clock},
          cdrom{Declaration<AtapiCdrom>::device_type(), {}, &clock},
          controller{Declaration<AhciController>::device_type(), {{"ports", 3}}, &clock} {
        slot.memory.memory.resize(memory_size);
        slot.memory.memory.shrink_to_fit();
        for (std::size_t sector = 0; sector < disk_image.bytes.size() / 512; ++sector)
            disk_image.bytes[sector * 512] = static_cast<std::uint8_t>(sector);
        cd_image.is_read_only = cd_image.is_removable = true;
        disk.connect("image", disk_image);
        cdrom.connect("image", cd_image);
        controller.connect("slot", slot)
            .connect("port0", disk, "sata")
            .connect("port1", cdrom, "sata");
        if (!disk.power_on() || !cdrom.power_on() || !controller.power_on()) std::abort();
        slot.write_config(0x24, 4, static_cast<std::uint32_t>(abar));
        slot.enable();
        out(GHC, ghc::ae | ghc::ie);
        for (unsigned port = 0; port < 2; ++port)
            start(port);
    }

    void play(Input& input, std::size_t most) {
        for (std::size_t step = 0; step < most && !input.is_empty(); ++step)
            act(input);
    }

    FakeClock clock;
    FakeBlock disk_image{140 * 512}, cd_image{34 * 2048 + 512};
    FakePciSlot slot;
    DeviceBench disk, cdrom, controller;

private:
    void act(Input& input) {
        const std::uint8_t what = input.take8();
        const unsigned port = what >> 4 & 1;
        switch (what & 0x0f) {
        case 0: out(of(port) + input.take8() % 32 * 4, input.take32()); break;
        case 1: {
            const std::uint32_t size = 1u << (what >> 5 & 3);
            slot.memory.write(abar + input.take8() % 0x80 * 2, size, input.take32());
            break;
        }
        case 2: slot.memory.read(abar + input.take16() % 0x300, 1u << (what >> 5 & 3)); break;
        case 3: queue(port, input); break;
        case 4:
        case 5: issue(port, input); break;
        case 6: start(port); break;
        case 7: control(port, input); break;
        case 8: slot.memory.write(input.take16(), 4, input.take32()); break;
        case 9:  // a COMRESET, or half of one
            out(of(port) + PxCMD, 0);
            out(of(port) + PxSCTL, what >> 5);
            if ((what & 0x80) != 0) out(of(port) + PxSCTL, 0);
            break;
        case 10: clock.advance(backplane::Duration{std::int64_t{1} << (what >> 4) * 2}); break;
        case 11: acknowledge(port, what); break;
        case 12: change_images(what >> 4, input); break;
        case 13:
            slot.write_config(input.take8() & 0xfc, 4, input.take32());
            slot.write_config(0x24, 4, static_cast<std::uint32_t>(abar));
            if ((what & 0x40) != 0) slot.enable();
            break;
        case 14: finish(what >> 4); break;
        default:
            if (what == 0xff) controller.reset();
            if (what == 0x0f) out(GHC, ghc::hr);
        }
    }

    static std::uint64_t of(unsigned port) { return ports + port * port_size; }
    void out(std::uint64_t offset, std::uint32_t value) {
        slot.memory.write(abar + offset, 4, value);
    }
    void put(std::uint64_t address, std::uint32_t value) { slot.memory.write(address, 4, value); }

    void start(unsigned port) {
        out(of(port) + PxCMD, 0);
        out(of(port) + PxCLB, lists + port * 0x400);
        out(of(port) + PxFB, received + port * 0x100);
        out(of(port) + PxIE, ~0u);
        out(of(port) + PxCMD, port_command::fre);
        out(of(port) + PxCMD, port_command::fre | port_command::st);
    }

    void acknowledge(unsigned port, unsigned how) {
        if ((how & 0x20) != 0) out(of(port) + PxIS, ~0u);
        if ((how & 0x40) != 0) out(of(port) + PxSERR, ~0u);
        if ((how & 0x80) != 0) out(IS, ~0u);
    }

    // Regions mostly in memory, of sizes mostly small.
    void prepare(unsigned port, unsigned slot_number, std::span<const std::uint8_t> fis,
                 Input& input) {
        const std::uint32_t table = tables + (port * 32 + slot_number) % 64 * table_size;
        for (std::size_t at = 0; at < fis.size(); ++at)
            slot.memory.write(table + at, 1, fis[at]);
        const std::uint8_t how = input.take8();
        const unsigned regions = how & 7;
        for (unsigned region = 0; region < regions; ++region) {
            const std::uint64_t at = table + table_regions + region * 16;
            const std::uint32_t place = input.take16();
            // Elsewhere is nothing, or the adapter itself.
            const std::uint32_t elsewhere = (place & 1) != 0 ? place << 16
                                                             : std::uint32_t{abar} + place % 0x280;
            put(at, (how & 0x08) != 0 ? elsewhere : place);
            put(at + 4, 0);
            put(at + 12, (how & 0x10) != 0 ? input.take32() : input.take16() | 1u);
        }
        for (unsigned byte = 0; byte < 12 && (how & 0x40) != 0; ++byte)
            slot.memory.write(table + table_packet + byte, 1, input.take8());
        const std::uint32_t header = lists + port * 0x400 + slot_number * 32;
        const std::uint32_t flags = (how & 0x80) != 0 ? input.take8() << 5 : 0;
        put(header, 5 | flags | regions << 16);
        put(header + 8, table);
        put(header + 12, 0);
    }

    void queue(unsigned port, Input& input) {
        const unsigned tag = input.take8() & 31;
        const std::uint8_t how = input.take8();
        const std::array<std::uint8_t, 20> fis{0x27,
                                               0x80,
                                               static_cast<std::uint8_t>(0x60 | (how & 1)),
                                               static_cast<std::uint8_t>(how >> 1 & 0x1f),
                                               input.take8(),
                                               static_cast<std::uint8_t>(how >> 6 & 1),
                                               0,
                                               static_cast<std::uint8_t>(0x40 | (how & 0x80)),
                                               0,
                                               0,
                                               0,
                                               0,
                                               static_cast<std::uint8_t>(tag << 3)};
        prepare(port, tag, fis, input);
        out(of(port) + PxSACT, 1u << tag);
        out(of(port) + PxCI, 1u << tag);
    }

    void issue(unsigned port, Input& input) {
        const unsigned number = input.take8() & 31;
        const std::uint8_t choice = input.take8();
        std::array<std::uint8_t, 20> fis{0x27, 0x80};
        fis[2] = (choice & 0x80) != 0 ? input.take8() : opcodes[choice % opcodes.size()];
        fis[7] = 0x40;
        for (const unsigned at : {3, 4, 5, 12})
            fis[at] = input.take8();
        if ((choice & 0x40) != 0)
            for (unsigned at = 0; at < fis.size(); ++at)
                fis[at] ^= input.take8();
        prepare(port, number, fis, input);
        out(of(port) + PxCI, (choice & 0x20) != 0 ? input.take32() : 1u << number);
    }

    void control(unsigned port, Input& input) {
        std::array<std::uint8_t, 20> fis{0x27};
        fis[15] = input.take8() & 0x0c;
        const unsigned number = input.take8() & 31;
        prepare(port, number, fis, input);
        out(of(port) + PxCI, 1u << number);
    }

    void change_images(unsigned how, Input& input) {
        FakeBlock& image = (how & 1) != 0 ? cd_image : disk_image;
        switch (how >> 1) {
        case 0: image.change_medium(std::nullopt); break;
        case 1: image.change_medium(std::vector<std::uint8_t>(input.take8() * 512u)); break;
        case 2:
        case 3: {
            const std::uint64_t at = input.take8() * 512u;
            disk_image.bad = cd_image.bad = {at, at + 512};
            disk_image.failure = 2 + input.take8() % 5;
            break;
        }
        case 4: disk_image.is_read_only = (input.take8() & 1) != 0; break;
        case 5: disk_image.resize(input.take8() * 512u); break;
        case 6: cd_image.press_eject(); break;
        default: disk_image.holds = cd_image.holds = (how & 1) != 0;
        }
    }

    void finish(unsigned how) {
        if ((how & 1) != 0) disk_image.finish_one();
        if ((how & 2) != 0) cd_image.finish_one();
        if ((how & 4) != 0) disk.host().run_posted();
        if ((how & 8) != 0) disk_image.finish_all();
    }
};

std::string difference(Subject& first, Subject& second) {
    for (const auto& [a, b] :
         {std::pair{&first.disk, &second.disk}, std::pair{&first.cdrom, &second.cdrom},
          std::pair{&first.controller, &second.controller}})
        if (auto text = state_difference(a->save(), b->save()); !text.empty())
            return a->type().name + (": " + text);
    if (first.slot.memory.memory != second.slot.memory.memory) return "guest memory differs";
    if (first.slot.pins != second.slot.pins) return "the interrupt differs";
    return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Subject first;
    Input input{std::span{data, size}};
    // Comparing takes longer than all the rest.
    if (size % 8 != 0) {
        first.play(input, size);
        return 0;
    }
    first.play(input, size / 4);
    // What the images hold back cannot be saved: it is done before.
    first.disk_image.finish_all(), first.cd_image.finish_all();
    first.disk_image.holds = first.cd_image.holds = false;

    Subject second;
    const auto copy = [](FakeBlock& to, const FakeBlock& from) {
        to.bytes = from.bytes;
        to.has_medium = from.has_medium;
        to.is_read_only = from.is_read_only;
        to.bad = from.bad;
        to.failure = from.failure;
    };
    copy(second.disk_image, first.disk_image), copy(second.cd_image, first.cd_image);
    second.slot.memory.memory = first.slot.memory.memory;
    second.slot.pins = first.slot.pins;
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
