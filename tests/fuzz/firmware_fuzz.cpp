// The first byte picks a device of the firmware plugin, the rest is a script of what the guest does
// to it; after it the device must survive a snapshot round trip too.
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

bool prepare(DeviceBench& bench, FlatMemory& memory) {
    bench.connect("memory", memory).connect("cpus", processor());
    bench.connect("files", writable_file());
    return bench.power_on();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto& type = *backplane::device_types<FwCfg>()->devices[0];
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
