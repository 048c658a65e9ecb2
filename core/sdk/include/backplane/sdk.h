// Everything a device needs.
#pragma once

#include <backplane/abi.h>
#include <backplane/address_space.h>
#include <backplane/block.h>
#include <backplane/connection.h>
#include <backplane/declaration.h>
#include <backplane/device.h>
#include <backplane/events.h>
#include <backplane/instance.h>
#include <backplane/line.h>
#include <backplane/pci.h>
#include <backplane/pci_config.h>
#include <backplane/pci_message_table.h>
#include <backplane/plugin.h>
#include <backplane/property.h>
#include <backplane/registers.h>
#include <backplane/thunk.h>
#include <backplane/timer.h>
#include <backplane/units.h>
#include <backplane/window.h>
