// The first byte picks a card, the rest is a script of what the guest does to it. The frame is read
// at every step of it, whatever the registers say, and at the end of some scripts the card must
// survive a snapshot round trip. clang++ -fsanitize=fuzzer,address,undefined, with the sources of
// plugins/display.
#include "isa_vga.h"
#include "std_vga.h"

#include <backplane/plugin.h>
#include <backplane/testing/fake_pci_slot.h>
#include <backplane/testing/round_trip.h>
#include <backplane/testing/script.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string_view>
#include <vector>

namespace {

using namespace backplane;
using namespace backplane::testing;
using display::IsaVga;
using display::StdVga;

bool is_pci(const backplane_device_type& type) {
    return std::string_view{type.name} == "display.std-vga";
}

std::vector<Setting> settings_of(const backplane_device_type& type) {
    std::vector<Setting> settings{{"memory", Bytes{1 << 20}}};
    if (is_pci(type)) settings.emplace_back("rom", std::string{});
    return settings;
}

bool prepare(DeviceBench& bench, FakePciSlot& slot) {
    if (is_pci(bench.type())) bench.connect("slot", slot.link());
    if (!bench.power_on()) return false;
    if (is_pci(bench.type())) slot.enable();
    return true;
}

// All of the changes, and some of the pixels and cells: enough to reach every row.
void look(DeviceBench& bench) {
    const auto display = bench.service<backplane_display>("display");
    backplane_display_mode mode{};
    mode.struct_size = sizeof mode;
    display.call<&backplane_display::mode>(&mode);
    if (std::max(mode.width, mode.height) > BACKPLANE_DISPLAY_LARGEST_SIDE) std::abort();
    std::vector<std::uint64_t> rows(mode.height / 64 + 1);
    display.call<&backplane_display::changes>(std::uint64_t{1}, rows.data(), mode.height + 1);
    std::vector<std::uint32_t> pixels(mode.width + 2);
    for (std::uint32_t y = 0; y <= mode.height; y += std::max(mode.height / 8, 1u))
        display.call<&backplane_display::read_pixels>(0u, y, mode.width + 2, 1u, pixels.data(),
                                                      std::uint64_t{mode.width + 2});
    backplane_display_text text{};
    text.struct_size = sizeof text;
    std::vector<backplane_display_cell> cells(300);
    display.call<&backplane_display::read_text>(&text, cells.data(), 300u);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto* cards = device_types<IsaVga, StdVga>();
    if (size == 0) return 0;
    const backplane_device_type& type = *cards->devices[data[0] % cards->device_count];
    FakePciSlot slot, second_slot;
    DeviceBench first{&type, settings_of(type)}, second{&type, settings_of(type)};
    if (!prepare(first, slot) || !prepare(second, second_slot)) std::abort();
    auto script = std::span{data, size}.subspan(1);
    while (!script.empty()) {
        const auto step = script.first(std::min<std::size_t>(script.size(), 64));
        Script{first}.play(step);
        script = script.subspan(step.size());
        look(first);
    }
    // It copies all of the memory many times.
    if (data[0] < 0xe0) return 0;
    const std::string difference = round_trip(first, second, std::chrono::milliseconds{1});
    if (difference.empty()) return 0;
    std::fprintf(stderr, "%s: %s\n", type.name, difference.c_str());
    std::abort();
}
