// The first byte picks a chip, the rest is a script of what the guest and the neighbours do to it;
// after it the chip must survive a snapshot round trip too. clang++
// -fsanitize=fuzzer,address,undefined, with the sources of plugins/chipset.
#include "acpi_pm.h"
#include "debug_console.h"
#include "dma8237.h"
#include "hpet.h"
#include "i8042.h"
#include "io_apic.h"
#include "isa_debug_exit.h"
#include "local_apic.h"
#include "parallel.h"
#include "pci/ich9_smbus.h"
#include "pic8259.h"
#include "piix4_smbus.h"
#include "pit8254.h"
#include "port92.h"
#include "ps2_keyboard.h"
#include "ps2_mouse.h"
#include "reset_control.h"
#include "rtc_mc146818.h"
#include "spd_eeprom.h"
#include "uart16550.h"

#include <backplane/plugin.h>
#include <backplane/testing/fake_pci_slot.h>
#include <backplane/testing/round_trip.h>
#include <backplane/testing/script.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

namespace {

using namespace backplane::chipset;
using namespace backplane::testing;

// A run is repeatable, so the clock does not start at the host's time.
std::vector<Setting> settings_of(const backplane_device_type& type) {
    if (std::string_view{type.name} == "chipset.rtc-mc146818") return {{"time", "2024-01-01"}};
    return {};
}

// What a chip sees around it.
struct Surroundings {
    FlatMemory memory{4096};
    FakePciSlot slot;
};

bool prepare(DeviceBench& bench, Surroundings& around) {
    for (std::uint32_t port = 0; port < bench.type().port_count; ++port) {
        const std::string_view id = bench.type().ports[port].interface_id;
        if (id == BACKPLANE_ADDRESS_SPACE)
            bench.connect(bench.type().ports[port].name, around.memory);
        else if (id == BACKPLANE_PCI_SLOT)
            bench.connect(bench.type().ports[port].name, around.slot);
    }
    if (!bench.power_on()) return false;
    constexpr std::uint32_t hostc = 0x40;  // the one PCI function here is enabled by this
    if (around.slot.function.write_config != nullptr) around.slot.write_config(hostc, 1, 1);
    return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto* chips = backplane::device_types<
        Pic8259, Pit8254, RtcMc146818, Uart16550, I8042, LocalApic, IoApic, AcpiPm, Port92,
        ResetControl, IsaDebugExit, DebugConsole, Ps2Keyboard, Ps2Mouse, Dma8237, Hpet, Parallel,
        Piix4Smbus, Ich9Smbus, SpdEeprom>();
    if (size == 0) return 0;
    const backplane_device_type& type = *chips->devices[data[0] % chips->device_count];
    Surroundings around_first, around_second;
    DeviceBench first{&type, settings_of(type)}, second{&type, settings_of(type)};
    if (!prepare(first, around_first) || !prepare(second, around_second)) std::abort();
    Script{first}.play(std::span{data, size}.subspan(1));
    const std::string difference = round_trip(first, second, std::chrono::milliseconds{1});
    if (difference.empty()) return 0;
    std::fprintf(stderr, "%s: %s\n", type.name, difference.c_str());
    std::abort();
}
