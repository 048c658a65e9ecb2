/* The namespace of a PC with the Q35 memory controller hub and the ICH9 south bridge: what cannot be
   found by probing. Windows of the host bridge, its configuration space and processors are in the
   SSDT. */
DefinitionBlock ("", "DSDT", 1, "BKPL", "BACKPLAN", 1)
{
    /* SLP_TYP 0 in PM1_CNT is soft off, by the definition of this machine's ACPI registers. */
    Name (\_S5, Package () { 0, 0, 0, 0 })

    /* Which interrupt controller the guest uses: 0 the 8259s, 1 the I/O APIC. */
    Name (\PICF, 0)
    Method (\_PIC, 1, NotSerialized) { PICF = Arg0 }

    Scope (\_SB)
    {
        Device (PCI0)
        {
            Name (_HID, EisaId ("PNP0A08"))
            Name (_CID, EisaId ("PNP0A03"))
            Name (_UID, 0)

            /* Hot plug, power management events, error reporting and the capability structures are
               the guest's; only the SHPC, bit 1, is not there. (PCI Firmware 3.2, 4.5.1) */
            Method (_OSC, 4, NotSerialized)
            {
                CreateDWordField (Arg3, 0, CDW1)
                If (Arg0 != ToUUID ("33DB4D5B-1FF7-401C-9657-7441C03DD766"))
                {
                    CDW1 |= 0x04
                    Return (Arg3)
                }
                CreateDWordField (Arg3, 8, CDW3)
                Local0 = CDW3 & 0x1D
                If (Arg1 != 1) { CDW1 |= 0x08 }
                If (CDW3 != Local0) { CDW1 |= 0x10 }
                CDW3 = Local0
                Return (Arg3)
            }

            Device (ISA)
            {
                Name (_ADR, 0x001F0000)
                OperationRegion (PIRQ, PCI_Config, 0x60, 0x0C)
                Field (PIRQ, ByteAcc, NoLock, Preserve)
                {
                    PIRA, 8, PIRB, 8, PIRC, 8, PIRD, 8,
                    Offset (8),
                    PIRE, 8, PIRF, 8, PIRG, 8, PIRH, 8
                }

#include "isa_devices.asli"
            }
        }

#include "pci_interrupts.asli"

        PCI_LINK (LNKA, 0, \_SB.PCI0.ISA.PIRA)
        PCI_LINK (LNKB, 1, \_SB.PCI0.ISA.PIRB)
        PCI_LINK (LNKC, 2, \_SB.PCI0.ISA.PIRC)
        PCI_LINK (LNKD, 3, \_SB.PCI0.ISA.PIRD)
        PCI_LINK (LNKE, 4, \_SB.PCI0.ISA.PIRE)
        PCI_LINK (LNKF, 5, \_SB.PCI0.ISA.PIRF)
        PCI_LINK (LNKG, 6, \_SB.PCI0.ISA.PIRG)
        PCI_LINK (LNKH, 7, \_SB.PCI0.ISA.PIRH)

#define LINKS_FROM_A(slot) SLOT_LINKS (slot, LNKA, LNKB, LNKC, LNKD)
#define LINKS_FROM_E(slot) SLOT_LINKS (slot, LNKE, LNKF, LNKG, LNKH)
#define LINKS_FROM_F(slot) SLOT_LINKS (slot, LNKF, LNKG, LNKH, LNKE)
#define LINKS_FROM_G(slot) SLOT_LINKS (slot, LNKG, LNKH, LNKE, LNKF)
#define LINKS_FROM_H(slot) SLOT_LINKS (slot, LNKH, LNKE, LNKF, LNKG)
#define INPUTS_FROM_A(slot) SLOT_INPUTS (slot, 16, 17, 18, 19)
#define INPUTS_FROM_E(slot) SLOT_INPUTS (slot, 20, 21, 22, 23)
#define INPUTS_FROM_F(slot) SLOT_INPUTS (slot, 21, 22, 23, 20)
#define INPUTS_FROM_G(slot) SLOT_INPUTS (slot, 22, 23, 20, 21)
#define INPUTS_FROM_H(slot) SLOT_INPUTS (slot, 23, 20, 21, 22)

/* Slots take turns on E to H; those of the south bridge, 25 and up, have what its registers D25IR to
   D31IR say after reset, and its PCI bridge, 30, again E to H. */
#define ALL_SLOTS(to)                                                                              \
    to##E (0x0000), to##F (0x0001), to##G (0x0002), to##H (0x0003),                                \
    to##E (0x0004), to##F (0x0005), to##G (0x0006), to##H (0x0007),                                \
    to##E (0x0008), to##F (0x0009), to##G (0x000A), to##H (0x000B),                                \
    to##E (0x000C), to##F (0x000D), to##G (0x000E), to##H (0x000F),                                \
    to##E (0x0010), to##F (0x0011), to##G (0x0012), to##H (0x0013),                                \
    to##E (0x0014), to##F (0x0015), to##G (0x0016), to##H (0x0017),                                \
    to##E (0x0018), to##A (0x0019), to##A (0x001A), to##A (0x001B),                                \
    to##A (0x001C), to##A (0x001D), to##E (0x001E), to##A (0x001F)

        Scope (PCI0)
        {
            Name (PRTP, Package () { ALL_SLOTS (LINKS_FROM_) })
            Name (PRTA, Package () { ALL_SLOTS (INPUTS_FROM_) })
            Method (_PRT, 0, NotSerialized)
            {
                If (PICF) { Return (PRTA) }
                Return (PRTP)
            }
        }

#include "mainboard.asli"
    }
}
