/* The namespace of a PC with the 440FX host bridge and the PIIX3 or PIIX4 south bridge: what cannot
   be found by probing. Windows of the host bridge and processors are in the SSDT. */
DefinitionBlock ("", "DSDT", 1, "BKPL", "BACKPLAN", 1)
{
    /* SUS_TYP 0 in PMCNTRL is soft off (82371AB datasheet 7.2.3). */
    Name (\_S5, Package () { 0, 0, 0, 0 })

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A03"))
            Name (_UID, 0)

            Device (ISA)
            {
                Name (_ADR, 0x00010000)
                OperationRegion (PIRR, PCI_Config, 0x60, 4)
                Field (PIRR, ByteAcc, NoLock, Preserve)
                {
                    PIRA, 8, PIRB, 8, PIRC, 8, PIRD, 8
                }

#include "isa_devices.asli"
            }
        }

#include "pci_interrupts.asli"

        PCI_LINK (LNKA, 0, \_SB.PCI0.ISA.PIRA)
        PCI_LINK (LNKB, 1, \_SB.PCI0.ISA.PIRB)
        PCI_LINK (LNKC, 2, \_SB.PCI0.ISA.PIRC)
        PCI_LINK (LNKD, 3, \_SB.PCI0.ISA.PIRD)

        /* Power management, function 3 of the south bridge, always has interrupt 9. */
        Device (LNKS)
        {
            Name (_HID, EisaId ("PNP0C0F"))
            Name (_UID, 4)
            Name (_PRS, ResourceTemplate ()
            {
                Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { 9 }
            })
            Name (_STA, 0x0B)
            Method (_DIS, 0, NotSerialized) { }
            Method (_CRS, 0, NotSerialized) { Return (_PRS) }
            Method (_SRS, 1, NotSerialized) { }
        }

#define FROM_A(slot) SLOT_LINKS (slot, LNKA, LNKB, LNKC, LNKD)
#define FROM_B(slot) SLOT_LINKS (slot, LNKB, LNKC, LNKD, LNKA)
#define FROM_C(slot) SLOT_LINKS (slot, LNKC, LNKD, LNKA, LNKB)
#define FROM_D(slot) SLOT_LINKS (slot, LNKD, LNKA, LNKB, LNKC)

        /* Each slot starts one link further on, as mainboards with this chipset are wired. The same
           interrupts reach the I/O APIC, so there is one list for both controllers. */
        Scope (PCI0)
        {
            Name (_PRT, Package ()
            {
                FROM_D (0x0000),
                SLOT_LINKS (0x0001, LNKS, LNKB, LNKC, LNKD),
                FROM_B (0x0002), FROM_C (0x0003), FROM_D (0x0004), FROM_A (0x0005),
                FROM_B (0x0006), FROM_C (0x0007), FROM_D (0x0008), FROM_A (0x0009),
                FROM_B (0x000A), FROM_C (0x000B), FROM_D (0x000C), FROM_A (0x000D),
                FROM_B (0x000E), FROM_C (0x000F), FROM_D (0x0010), FROM_A (0x0011),
                FROM_B (0x0012), FROM_C (0x0013), FROM_D (0x0014), FROM_A (0x0015),
                FROM_B (0x0016), FROM_C (0x0017), FROM_D (0x0018), FROM_A (0x0019),
                FROM_B (0x001A), FROM_C (0x001B), FROM_D (0x001C), FROM_A (0x001D),
                FROM_B (0x001E), FROM_C (0x001F)
            })
        }

#include "mainboard.asli"
    }
}
