// Disks, CD-ROM drives, their controllers and images.
#include "ahci_controller.h"
#include "ata_disk.h"
#include "atapi_cdrom.h"
#include "disk_image.h"
#include "fdc82077.h"
#include "floppy_drive.h"
#include "ide_controller.h"
#include "nvme_controller.h"
#include "pci_ide.h"
#include "virtio_blk.h"

using namespace backplane::storage;

BACKPLANE_PLUGIN(.id = "org.backplane.storage", .name = "Storage", .version = "0.1.0",
                 .vendor = "Backplane", .license = "Apache-2.0",
                 .devices = backplane::device_types<
                     DiskImage, AtaDisk, AtapiCdrom, IdeController, Piix3Ide, Piix4Ide, IchIde,
                     AhciController, nvme::Controller, VirtioBlk, Fdc82077, FloppyDrive>);
