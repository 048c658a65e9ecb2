// What a guest does to flash memory when the first byte is 0, else to fw_cfg, which must survive a
// snapshot round trip afterwards.
#include "flash_chip.h"
#include "fw_cfg.h"

#include <backplane/plugin.h>
#include <backplane/testing/round_trip.h>
#include <backplane/testing/script.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

namespace {

using namespace backplane::firmware;
using namespace backplane::testing;

backplane_link processor() {
    static const backplane_cpu functions{};
    static int object = 0;
    return {&functions, &object};
}

// A file into which firmware may write.
backplane_link writable_file() {
    static std::uint8_t content[64];
    static constexpr backplane_firmware_files functions{
        sizeof(backplane_firmware_files),
        0,
        [](void*) { return 1u; },
        [](void*, std::uint32_t, backplane_firmware_file* file) {
            file->name = "writable";
            file->data = content;
            file->size = sizeof content;
            file->writable = 1;
        },
        nullptr,
        [](void*, std::uint32_t, std::uint64_t offset, const std::uint8_t* data,
           std::uint64_t length) {
            if (offset > sizeof content || length > sizeof content - offset) std::abort();
            std::memcpy(content + offset, data, length);
        }};
    static int object = 0;
    return {&functions, &object};
}

// Three bytes are a write, or a read when the first is odd.
void use_flash(std::span<const std::uint8_t> bytes) {
    constexpr std::uint32_t block_size = 4096;
    for (const std::uint32_t unit : {1u, 2u}) {
        std::vector<std::byte> array(4 * block_size, std::byte{0xff});
        FlashChip chip;
        chip.attach(array, block_size, unit);
        for (std::size_t at = 0; at + 3 <= bytes.size(); at += 3) {
            const std::uint64_t far = (bytes[at] & 2) != 0 ? 127u * bytes[at + 1] : 0;
            const std::uint64_t offset = (far + bytes[at + 1] % 64) % array.size() / unit * unit;
            if ((bytes[at] & 1) != 0)
                chip.read(offset);
            else
                chip.write(offset, bytes[at + 2] * 0x01010101u);
            if (!chip.is_consistent()) std::abort();
        }
    }
}

bool prepare(DeviceBench& bench, FlatMemory& memory) {
    bench.connect("memory", memory).connect("cpus", processor());
    bench.connect("files", writable_file());
    return bench.power_on();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto& type = *backplane::device_types<FwCfg>()->devices[0];
    if (size == 0) return 0;
    if (data[0] == 0) return use_flash(std::span{data, size}.subspan(1)), 0;
    // The guest's memory is the beginning of the input, so that descriptors make sense; the rest is
    // the script.
    FlatMemory memory{4096};
    std::memcpy(memory.bytes.data(), data, std::min<std::size_t>(size, 256));
    DeviceBench first{&type}, second{&type};
    if (!prepare(first, memory) || !prepare(second, memory)) std::abort();
    Script{first}.play(std::span{data, size});
    const std::string difference = round_trip(first, second, std::chrono::milliseconds{1});
    if (difference.empty()) return 0;
    std::fprintf(stderr, "%s: %s\n", type.name, difference.c_str());
    std::abort();
}
