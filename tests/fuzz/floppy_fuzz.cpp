// The bytes are what a guest does to a floppy controller: accesses to its registers, whole
// commands, DMA programmed somehow, disks that come and go, errors of the images, time passing.
// After it all of it must survive a snapshot, and go on as without one.
#include "fdc82077.h"
#include "floppy_drive.h"
#include "input.h"
#include "storage/fake_dma_channel.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_block.h>
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
using namespace backplane::testing;
using backplane::Declaration;
using backplane::Duration;

constexpr std::size_t dma_memory = 20 * 1024;
// The smallest there are: making disks is most of a run's cost.
constexpr std::array<std::size_t, 4> disk_sizes{163840, 327680, 512, 0};

class Subject {
public:
    explicit Subject(unsigned mode)
        : first{Declaration<FloppyDrive>::device_type(),
                {{"capacity", std::string{"360k"}}},
                &clock},
          second{
              Declaration<FloppyDrive>::device_type(), {{"capacity", std::string{"360k"}}}, &clock},
          fdc{Declaration<Fdc82077>::device_type(),
              {{"mode", std::string{std::array{"at", "ps2", "model30", "at"}[mode & 3]}},
               {"speed", (mode & 4) != 0 ? 100 : 1}},
              &clock} {
        dma.memory.assign(dma_memory, 0xa5);
        first.connect("image", first_image);
        second.connect("image", second_image);
        fdc.connect("drive0", first, "cable").connect("drive1", second, "cable");
        fdc.connect("dma", dma);
        if (!first.power_on() || !second.power_on() || !fdc.power_on()) std::abort();
        out(2, 0x1c);
        digital.write8(0, 2);
        clock.advance(Duration{1'000'000});
    }

    void play(Input& input, std::size_t most) {
        for (std::size_t step = 0; step < most && !input.is_empty(); ++step)
            act(input);
    }

    FakeClock clock;
    FakeBlock first_image{disk_sizes[0]}, second_image{disk_sizes[1]};
    FakeDmaChannel dma;
    DeviceBench first, second, fdc;

private:
    void act(Input& input) {
        const std::uint8_t what = input.take8();
        const unsigned how = what >> 4;
        switch (what & 0x0f) {
        case 0: out(input.take8() % 6, input.take8()); break;
        case 1: in(how % 6); break;
        case 2: out(5, input.take8()); break;
        case 3: in(5); break;
        case 4: out(2, static_cast<std::uint8_t>(0x3c | (how & 1))); break;
        case 5: digital.write8(0, static_cast<std::uint8_t>(how & 3)); break;
        case 6:
        case 7: command(input, how); break;
        case 8: command(input, 0); break;
        case 9: program_dma(input, how); break;
        case 10:
        case 11: clock.advance(Duration{std::int64_t{1} << how * 2}); break;
        case 12: change_disk(input, how); break;
        case 13: string_access(how); break;
        case 14: finish(how); break;
        default:
            if (what == 0xff) fdc.reset();
            digital.read8(0);
        }
    }

    void out(std::uint64_t reg, std::uint8_t value) { registers.write8(reg, value); }
    void in(std::uint64_t reg) { registers.read8(reg); }

    // One that is likely to do something, with its other bytes as they come.
    void command(Input& input, unsigned how) {
        static constexpr std::array<std::uint8_t, 16> codes{0xe6, 0xc5, 0x4d, 0x4a, 0x0f, 0x07,
                                                            0xc6, 0x66, 0xcc, 0xc9, 0x42, 0xd6,
                                                            0x51, 0x59, 0x5d, 0x13};
        const std::uint8_t code = codes[how];
        out(5, code);
        for (unsigned byte = 1; byte < fdc_command(code).length; ++byte)
            out(5, input.take8());
    }

    void program_dma(Input& input, unsigned how) {
        const std::size_t bytes = 1 + (input.take8() * 71u + how) % (dma_memory - 1);
        dma.program(how % 3, bytes);
    }

    void change_disk(Input& input, unsigned how) {
        FakeBlock& image = (how & 1) != 0 ? second_image : first_image;
        switch (how >> 1) {
        case 0: image.change_medium(std::nullopt); break;
        case 1:
            image.change_medium(std::vector<std::uint8_t>(disk_sizes[input.take8() & 3]));
            break;
        case 2: image.is_read_only = !image.is_read_only; break;
        case 3: {
            const std::uint64_t at = input.take8() * 512u;
            image.bad = {at, at + 512};
            image.failure = 1 + input.take8() % 6;
            if (image.failure == BACKPLANE_BLOCK_PENDING) image.failure = BACKPLANE_BLOCK_FAILED;
            break;
        }
        default: image.holds = (how & 2) != 0;
        }
    }

    // As much as the FIFO gives or takes.
    void string_access(unsigned how) {
        for (unsigned byte = 0; byte < 1u << how % 8; ++byte) {
            const std::uint8_t status = registers.read8(4);
            if ((status & 0x80) == 0)
                clock.advance(Duration{16'000});
            else if ((status & 0x40) != 0)
                in(5);
            else if ((status & 0x20) != 0)
                out(5, static_cast<std::uint8_t>(byte));
        }
    }

    void finish(unsigned how) {
        if ((how & 1) != 0) first_image.finish_one();
        if ((how & 2) != 0) second_image.finish_one();
        if ((how & 4) != 0) fdc.host().run_posted();
    }

    WindowProbe registers = fdc.window("registers"), digital = fdc.window("digital-input");
};

void copy(FakeBlock& to, const FakeBlock& from) {
    to.bytes = from.bytes;
    to.has_medium = from.has_medium;
    to.is_read_only = from.is_read_only;
    to.bad = from.bad;
    to.failure = from.failure;
}

std::string difference(Subject& first, Subject& second) {
    for (const auto& [a, b] :
         {std::pair{&first.first, &second.first}, std::pair{&first.second, &second.second},
          std::pair{&first.fdc, &second.fdc}})
        if (auto text = state_difference(a->save(), b->save()); !text.empty())
            return a->type().name + (": " + text);
    if (first.dma.memory != second.dma.memory) return "memory";
    if (first.first_image.bytes != second.first_image.bytes) return "disk";
    return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Input input{std::span{data, size}};
    const unsigned mode = input.take8();
    Subject first{mode};
    first.play(input, size / 3);
    // What the images hold back cannot be saved: it is done before.
    first.first_image.finish_all(), first.second_image.finish_all();
    first.first_image.holds = first.second_image.holds = false;

    Subject second{mode};
    copy(second.first_image, first.first_image), copy(second.second_image, first.second_image);
    // Drives look at their disks when these change.
    second.first_image.listener.medium_changed(second.first_image.listener.user);
    second.second_image.listener.medium_changed(second.second_image.listener.user);
    second.dma.memory = first.dma.memory;
    second.dma.direction = first.dma.direction;
    second.dma.at = first.dma.at;
    second.dma.left = first.dma.left;
    second.dma.requested = first.dma.requested;
    second.clock.set(first.clock.now());
    second.first.restore(first.first.save());
    second.second.restore(first.second.save());
    second.fdc.restore(first.fdc.save());
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
