// The chips of a PC's mainboard.
#include "acpi_pm.h"
#include "debug_console.h"
#include "dma8237.h"
#include "hpet.h"
#include "i8042.h"
#include "io_apic.h"
#include "isa_debug_exit.h"
#include "local_apic.h"
#include "parallel.h"
#include "pci/i440fx.h"
#include "pci/ich9_lpc.h"
#include "pci/ich9_smbus.h"
#include "pci/piix3.h"
#include "pci/piix4_pm.h"
#include "pci/q35_mch.h"
#include "pic8259.h"
#include "piix4_smbus.h"
#include "pit8254.h"
#include "port92.h"
#include "ps2_keyboard.h"
#include "ps2_mouse.h"
#include "ram.h"
#include "reset_control.h"
#include "rom.h"
#include "rtc_mc146818.h"
#include "spd_eeprom.h"
#include "uart16550.h"

using namespace backplane::chipset;

// clang-format off
BACKPLANE_PLUGIN(.id = "org.backplane.chipset", .name = "PC chipset", .version = "0.1.0",
                 .vendor = "Backplane", .license = "Apache-2.0",
                 .devices = backplane::device_types<
                     AcpiPm,
                     DebugConsole,
                     Dma8237,
                     Hpet,
                     I440fx,
                     I8042,
                     Ich9Lpc,
                     Ich9Smbus,
                     IoApic,
                     IsaDebugExit,
                     LocalApic,
                     Parallel,
                     Pic8259,
                     Piix3,
                     Piix4Pm,
                     Piix4Smbus,
                     Pit8254,
                     Port92,
                     Ps2Keyboard,
                     Ps2Mouse,
                     Q35Mch,
                     Ram,
                     ResetControl,
                     Rom,
                     RtcMc146818,
                     SpdEeprom,
                     Uart16550>);
// clang-format on
