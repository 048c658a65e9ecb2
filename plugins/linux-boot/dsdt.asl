/* What cannot be found by probing on a PC without PCI: how to power off, and the legacy devices with their resources. */
DefinitionBlock ("", "DSDT", 2, "BKPL", "BACKPLAN", 1)
{
    /* SUS_TYP 0 in PMCNTRL is soft off (82371AB datasheet 7.2.3). */
    Name (\_S5, Package (4) { 0, 0, 0, 0 })

    Scope (\_SB)
    {
        Device (PIC)
        {
            Name (_HID, EisaId ("PNP0000"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0020, 0x0020, 0, 2)
                IO (Decode16, 0x00A0, 0x00A0, 0, 2)
                IRQNoFlags () { 2 }
            })
        }
        Device (TMR)
        {
            Name (_HID, EisaId ("PNP0100"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0040, 0x0040, 0, 4)
                IRQNoFlags () { 0 }
            })
        }
        Device (RTC)
        {
            Name (_HID, EisaId ("PNP0B00"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0070, 0x0070, 0, 2)
                IRQNoFlags () { 8 }
            })
        }
        Device (COM1)
        {
            Name (_HID, EisaId ("PNP0501"))
            Name (_UID, 1)
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x03F8, 0x03F8, 0, 8)
                IRQNoFlags () { 4 }
            })
        }
        /* The ACPI registers themselves. */
        Device (PMB)
        {
            Name (_HID, EisaId ("PNP0C02"))
            Name (_CRS, ResourceTemplate ()
            {
                IO (Decode16, 0x0600, 0x0600, 0, 0x40)
            })
        }
    }
}
