// The bytes are what a guest does to an NVMe controller: accesses to its registers and to
// configuration space, commands of all kinds in its queues, and what is in the memory that these
// point at; and what happens to its images meanwhile. After it all the controller must survive a
// snapshot, and go on as without one.
#include "input.h"
#include "nvme_command.h"
#include "nvme_controller.h"
#include "nvme_registers.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_block.h>
#include <backplane/testing/fake_pci_slot.h>
#include <backplane/testing/round_trip.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace {

using namespace backplane::storage::nvme;
using namespace backplane::testing;
using backplane::Declaration;

constexpr std::uint64_t bar = 0xc000'0000;
// The guest's memory: queues, then lists, then data.
constexpr std::uint64_t memory_size = 64 << 10, lists = 0x6000;

std::vector<std::uint8_t> pattern(std::size_t size) {
    static const std::vector<std::uint8_t> bytes = [] {
        std::vector<std::uint8_t> all(300 * 512);
        for (std::size_t at = 0; at < all.size(); ++at)
            all[at] = static_cast<std::uint8_t>(at >> 8);
        return all;
    }();
    return {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)};
}

class Subject {
public:
    Subject()
        : controller{Declaration<Controller>::device_type(),
                     {{"queues", 3}, {"access-time", std::chrono::microseconds{20}}},
                     &clock} {
        slot.memory.memory.resize(memory_size);
        slot.memory.memory.shrink_to_fit();
        for (FakeBlock& image : images) {
            image.bytes = pattern(image.bytes.size());
            controller.connect("image", image);
        }
        controller.connect("slot", slot);
        if (!controller.power_on()) std::abort();
        slot.write_config(0x10, 4, bar);
        slot.enable();
    }

    // A driver's first steps.
    void set_up(std::uint8_t how) {
        write(reg::AQA, 0x0007'0007);
        write(reg::ASQ, 0x1000);
        write(reg::ACQ, 0x2000);
        if ((how & 1) != 0) {
            slot.write_config(0x40 + 2, 2, 0x8000);
            for (std::uint32_t vector = 0; vector < 4; ++vector)
                write(0x200c + vector * 16, 0);
        }
        write(reg::CC, 0x0046'0001 | (how & 8u) << 8);
        if ((how & 2) == 0) return;
        for (std::uint32_t queue = 1; queue < 3; ++queue) {
            put(0, {0x05, 0, 0, 0, 0, 0, 0x2000 + queue * 0x100, 0, 0, 0, 7 << 16 | queue,
                    queue << 16 | 3});
            put(0, {0x01, 0, 0, 0, 0, 0, 0x1000 + queue * 0x400, 0, 0, 0, 7 << 16 | queue,
                    queue << 16 | queue << 1 | 1});
            ring(0);
        }
        if ((how & 4) == 0) return;
        put(0, {0x7c, 0, 0, 0, 0, 0, 0x3000, 0, 0x4000});
        ring(0);
    }

    void play(Input& input, std::size_t most) {
        for (std::size_t step = 0; step < most && !input.is_empty(); ++step)
            act(input);
    }

    FakeClock clock;
    std::array<FakeBlock, 2> images{FakeBlock{300 * 512}, FakeBlock{24 * 4096}};
    FakePciSlot slot;
    DeviceBench controller;

    std::array<std::uint32_t, 4> tails{}, heads{};

private:
    using Dwords = std::array<std::uint32_t, 16>;

    void act(Input& input) {
        const std::uint8_t what = input.take8();
        const unsigned how = what >> 4;
        switch (what & 15) {
        case 0: write(input.take8() & 0x3c, input.take32()); break;
        case 1: (void)slot.memory.read(bar + input.take8() % 0x40, 1u << how % 3); break;
        case 2: write(reg::doorbells + (input.take8() & 0x3c), input.take8()); break;
        case 3:
        case 4: put(how % 4, admin_command(input)); break;
        case 5:
        case 6:
        case 7: put(how % 4, io_command(input)); break;
        case 8: ring(how % 4); break;
        case 9: take_completions(how % 4, input.take8() % 8); break;
        case 10: slot.memory.write(lists + (input.take8() & 0xf8), 8, address(input)); break;
        case 11: put_descriptor(input); break;
        case 12: change_image(images[how % 2], input); break;
        case 13:
            slot.write_config(input.take8() & 0xfc, 4, input.take32());
            slot.write_config(0x10, 4, bar);
            slot.write_config(0x14, 4, 0);
            if ((how & 3) != 0) slot.enable();
            break;
        case 14:
            if ((how & 1) != 0) images[0].finish_one();
            if ((how & 2) != 0) images[1].finish_one();
            if ((how & 4) != 0) controller.host().run_posted();
            clock.advance(backplane::Duration{std::int64_t{1} << how * 2});
            break;
        default: set_up_again(how); break;
        }
    }

    void set_up_again(unsigned how) {
        if (how == 15) controller.reset();
        if (how >= 13) write(reg::CC, how == 13 ? 0x0046'4001 : 0);
        if (how >= 14) tails = heads = {};
        if (how >= 8) set_up(static_cast<std::uint8_t>(how));
    }

    void write(std::uint64_t offset, std::uint32_t value) {
        slot.memory.write(bar + offset, 4, value);
    }

    void put(unsigned queue, const Dwords& command) {
        const std::uint64_t at = 0x1000 + queue * 0x400 + tails[queue] * Command::size;
        std::memcpy(slot.memory.memory.data() + at, command.data(), sizeof command);
        tails[queue] = (tails[queue] + 1) % 8;
        slot.memory.write(0x3000 + queue * 8, 4, tails[queue]);
    }

    void ring(unsigned queue) { write(reg::doorbells + queue * 8, tails[queue]); }

    void take_completions(unsigned queue, std::uint32_t count) {
        heads[queue] = (heads[queue] + count) % 8;
        slot.memory.write(0x3000 + queue * 8 + 4, 4, heads[queue]);
        write(reg::doorbells + queue * 8 + 4, heads[queue]);
    }

    // In memory mostly, sometimes in the controller's own registers, sometimes nowhere.
    static std::uint64_t address(Input& input) {
        const std::uint8_t how = input.take8();
        const std::uint64_t offset = input.take8() * 64u;
        if (how < 0x10) return bar + reg::doorbells + offset % 64;
        if (how < 0x18) return ~std::uint64_t{0} - offset;
        const std::uint64_t page = how % 16 * 0x1000u;
        return (how & 0x40) != 0 ? page : page + (offset & 0xfff);
    }

    void put_descriptor(Input& input) {
        const std::uint64_t at = lists + (input.take8() & 0xf0);
        slot.memory.write(at, 8, address(input));
        slot.memory.write(at + 8, 4, input.take8() * (input.take8() % 4 * 4u + 4));
        slot.memory.write(at + 12, 4, static_cast<std::uint32_t>(input.take8() & 0x71) << 24);
    }

    static void put_pointers(Dwords& command, Input& input) {
        for (const std::size_t index : {6, 8}) {
            const std::uint64_t place = address(input);
            command[index] = static_cast<std::uint32_t>(place);
            command[index + 1] = static_cast<std::uint32_t>(place >> 32);
        }
        const std::uint8_t how = input.take8();
        if (how < 0xa0) return;
        // An SGL.
        command[0] |= how >> 6 << 14;
        command[8] = how < 0xd0 ? input.take8() * 256u : input.take8() * 16u;
        command[9] = static_cast<std::uint32_t>(how & 0x31) << 24;
        if ((how & 0x20) != 0) command[6] = lists + (how & 0x0e) * 16u, command[7] = 0;
    }

    static Dwords admin_command(Input& input) {
        static constexpr std::array<std::uint8_t, 11> opcodes{0x00, 0x01, 0x02, 0x04, 0x05, 0x06,
                                                              0x08, 0x09, 0x0a, 0x0c, 0x7c};
        Dwords command{};
        const std::uint8_t how = input.take8();
        command[0] = (how < 0xf0 ? opcodes[how % opcodes.size()] : how) |
                     static_cast<std::uint32_t>(input.take8() % 16) << 16;
        command[1] = input.take8() % 8 < 6 ? input.take8() % 4 : ~0u;
        put_pointers(command, input);
        command[10] = input.take8() % 16 | static_cast<std::uint32_t>(input.take8()) << 8 |
                      static_cast<std::uint32_t>(input.take8() % 16) << 16;
        command[11] = input.take8() | static_cast<std::uint32_t>(input.take8() % 4) << 16;
        command[12] = input.take8();
        return command;
    }

    static Dwords io_command(Input& input) {
        static constexpr std::array<std::uint8_t, 7> opcodes{0x00, 0x01, 0x02, 0x05,
                                                             0x08, 0x09, 0x0c};
        Dwords command{};
        const std::uint8_t how = input.take8();
        command[0] = (how < 0xf0 ? opcodes[how % opcodes.size()] : how) |
                     static_cast<std::uint32_t>(input.take8() % 16) << 16;
        const std::uint8_t where = input.take8();
        command[1] = where < 0xf0 ? 1u + (where & 1) : where < 0xf8 ? ~0u : where & 7u;
        put_pointers(command, input);
        command[10] = (input.take8() | static_cast<std::uint32_t>(input.take8() & 1) << 8);
        command[11] = how == 0xff ? input.take32() : (how & 4u);
        command[12] = input.take8() % 64 | static_cast<std::uint32_t>(input.take8()) << 24;
        if (command[0] % 256 == 9) command[10] &= 0xff;
        return command;
    }

    static void change_image(FakeBlock& image, Input& input) {
        const std::uint8_t how = input.take8();
        switch (how % 4) {
        case 0: image.holds = (how & 0x10) != 0; break;
        case 1: {
            const std::uint64_t at = input.take8() * 512u;
            image.bad = {at, at + 512};
            image.failure = 2 + input.take8() % 5;
            break;
        }
        case 2:
            image.finish_all();
            image.resize(input.take8() * 512u);
            break;
        default:
            if ((how & 0x10) != 0)
                image.change_medium(std::nullopt);
            else
                image.change_medium(std::vector<std::uint8_t>(input.take8() * 512u));
        }
    }
};

std::string difference(const Subject& first, const Subject& second) {
    if (auto text = state_difference(first.controller.save(), second.controller.save());
        !text.empty())
        return text;
    if (first.slot.memory.memory != second.slot.memory.memory) return "memory differs";
    for (std::size_t index = 0; index < first.images.size(); ++index)
        if (first.images[index].bytes != second.images[index].bytes) return "an image differs";
    return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Subject first;
    Input input{std::span{data, size}};
    first.set_up(input.take8());
    first.play(input, size / 8);

    // What the images hold back goes on in both.
    Subject second;
    for (std::size_t index = 0; index < first.images.size(); ++index) {
        FakeBlock &from = first.images[index], &to = second.images[index];
        from.finish_all();
        from.holds = false;
        to.has_medium = from.has_medium;
        to.bytes = from.bytes;
        to.listener.medium_changed(to.listener.user);
        to.bad = from.bad;
        to.failure = from.failure;
    }
    first.controller.host().run_posted();
    second.slot.memory.memory = first.slot.memory.memory;
    second.tails = first.tails, second.heads = first.heads;
    second.clock.set(first.clock.now());
    second.controller.restore(first.controller.save());
    second.controller.host().run_posted();
    std::string text = difference(first, second);
    if (text.empty()) {
        Input again = input;
        first.play(input, 64);
        second.play(again, 64);
        for (Subject* each : {&first, &second})
            for (FakeBlock& image : each->images)
                image.finish_all();
        text = difference(first, second);
    }
    if (text.empty()) return 0;
    std::fprintf(stderr, "%s\n", text.c_str());
    std::abort();
}
