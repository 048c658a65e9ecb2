/* The plugin seam of Backplane, in C: everything that crosses between the host and a plugin.
 *
 * A plugin is a shared library with one exported data symbol, `backplane_plugin`. The host reads
 * its magic, ABI version and size before it calls anything. No exception, RTTI or C++ standard type
 * crosses the seam. All strings are UTF-8, NUL-terminated, and live as long as the plugin (or, when
 * given as an argument, as long as the call).
 *
 * Growth: within one ABI major, structs grow only at their end and every struct starts with its
 * size as compiled, so either side can tell what the other knows. Anything else is a new interface
 * id (`name/version`). Third parties put their reversed domain in front of ids of their own.
 *
 * Threads: unless a function says otherwise the host calls into a component with the machine lock
 * held, one call at a time per machine, so a device needs no locks. `[vcpu]` is called on the
 * thread of a virtual CPU, `[any]` on any.
 */
#ifndef BACKPLANE_ABI_H
#define BACKPLANE_ABI_H

#include "backplane/abi/address_space.h"
#include "backplane/abi/ata.h"
#include "backplane/abi/block.h"
#include "backplane/abi/character.h"
#include "backplane/abi/cpu.h"
#include "backplane/abi/cpu_profile.h"
#include "backplane/abi/device.h"
#include "backplane/abi/display.h"
#include "backplane/abi/dma_channel.h"
#include "backplane/abi/firmware_files.h"
#include "backplane/abi/floppy_drive.h"
#include "backplane/abi/host.h"
#include "backplane/abi/input.h"
#include "backplane/abi/interrupt_controller.h"
#include "backplane/abi/line.h"
#include "backplane/abi/machine_events.h"
#include "backplane/abi/message_interrupt.h"
#include "backplane/abi/pci.h"
#include "backplane/abi/plugin.h"
#include "backplane/abi/power_button.h"
#include "backplane/abi/ps2.h"
#include "backplane/abi/reports.h"
#include "backplane/abi/sata.h"
#include "backplane/abi/smbus_device.h"
#include "backplane/abi/window.h"

#endif
