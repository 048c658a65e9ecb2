#include "acpi_tables.h"

#include "acpi_table.h"
#include "dsdt_i440fx.hex"  // dsdt_i440fx_aml_code, made of dsdt_i440fx.asl
#include "dsdt_q35.hex"
#include "fixed_description.h"
#include "machine_namespace.h"
#include "table_loader.h"

#include <algorithm>
#include <array>

namespace backplane::firmware {

namespace {

using namespace std::string_view_literals;

// Section numbers are those of the ACPI specification 6.4.

constexpr std::uint32_t local_apic_address = 0xfee00000, io_apic_address = 0xfec00000;
constexpr std::uint64_t hpet_address = 0xfed00000;
constexpr std::uint8_t timer_interrupt = 0, system_control_interrupt = 9;

// 5.2.12 Multiple APIC Description Table.
class InterruptControllers {
public:
    explicit InterruptControllers(unsigned cpus) {
        constexpr std::uint32_t has_8259 = 1;
        append(table_, local_apic_address);
        append(table_, has_8259);
        for (unsigned cpu = 0; cpu < cpus; ++cpu)
            cpu <= largest_processor_id ? add_local_apic(cpu) : add_local_x2apic(cpu);
        add_io_apic();
        add_override(timer_interrupt, 2, as_the_bus_has_it);
        // Inputs to which the PCI links lead.
        for (const std::uint8_t interrupt : {5, int{system_control_interrupt}, 10, 11})
            add_override(interrupt, interrupt, active_high_level);
        add_local_nmi(cpus);
        set_length(table_);
    }

    const Table& table() const { return table_; }

private:
    static constexpr std::uint32_t enabled = 1;
    static constexpr std::uint16_t as_the_bus_has_it = 0, active_high_level = 0xd;

    void begin(std::uint8_t type, std::uint8_t length) {
        append(table_, type);
        append(table_, length);
    }

    void add_local_apic(unsigned cpu) {
        begin(0, 8);
        append(table_, static_cast<std::uint8_t>(cpu));
        append(table_, static_cast<std::uint8_t>(cpu));
        append(table_, enabled);
    }

    void add_local_x2apic(unsigned cpu) {
        begin(9, 16);
        append(table_, std::uint16_t{0});
        append(table_, cpu);
        append(table_, enabled);
        append(table_, cpu);
    }

    void add_io_apic() {
        begin(1, 12);
        append(table_, std::uint16_t{0});  // its ID
        append(table_, io_apic_address);
        append(table_, std::uint32_t{0});  // its first interrupt
    }

    void add_override(std::uint8_t isa, std::uint32_t input, std::uint16_t flags) {
        begin(2, 10);
        append(table_, std::uint8_t{0});  // ISA
        append(table_, isa);
        append(table_, input);
        append(table_, flags);
    }

    // LINT1 of every processor.
    void add_local_nmi(unsigned cpus) {
        begin(4, 6);
        append(table_, std::uint8_t{0xff});
        append(table_, std::uint16_t{0});
        append(table_, std::uint8_t{1});
        if (cpus <= largest_processor_id + 1) return;
        begin(10, 12);
        append(table_, std::uint16_t{0});
        append(table_, std::uint32_t{0xffffffff});
        append(table_, std::uint32_t{1});
    }

    Table table_ = begin_table("APIC", 3);
};

// IA-PC HPET Specification 1.0a, 3.2.4.
Table high_precision_timer() {
    constexpr std::uint32_t id = 0x8086a201;  // three comparators, 64 bits, legacy replacement
    Table table = begin_table("HPET", 1);
    append(table, id);
    append(table, std::uint32_t{0});  // in memory
    append(table, hpet_address);
    append(table, std::uint8_t{0});   // its number
    append(table, std::uint16_t{0});  // any tick
    append(table, std::uint8_t{0});   // nothing is guaranteed about its page
    set_length(table);
    return table;
}

// Windows ACPI Emulated Devices Table: the timer need not be read three times.
Table emulated_devices() {
    constexpr std::uint32_t pm_timer_is_good = 2;
    Table table = begin_table("WAET", 1);
    append(table, pm_timer_is_good);
    set_length(table);
    return table;
}

// PCI Firmware Specification 3.2, 4.1.2.
Table configuration_space(const AcpiMachine& machine) {
    constexpr std::uint64_t bytes_per_bus = 1 << 20;
    Table table = begin_table("MCFG", 1);
    append(table, std::uint64_t{0});
    append(table, machine.configuration_base);
    append(table, std::uint16_t{0});  // segment
    append(table, std::uint8_t{0});   // first bus
    append(table, static_cast<std::uint8_t>(machine.configuration_size / bytes_per_bus - 1));
    append(table, std::uint32_t{0});
    set_length(table);
    return table;
}

// 5.2.10 Firmware ACPI Control Structure. It has no checksum.
Table firmware_control() {
    Table table;
    append_text(table, "FACS");
    append(table, std::uint32_t{64});
    table.resize(64);
    return table;
}

// The value of the Name `_STA` in a Device of the compiled table.
void set_presence(Table& dsdt, std::string_view device, bool is_present) {
    constexpr auto status = "\x08_STA\x0a"sv;  // NameOp, BytePrefix
    const auto find = [&](auto from, std::string_view text) {
        const auto bytes = std::as_bytes(std::span{text});
        return std::search(from, dsdt.end(), bytes.begin(), bytes.end());
    };
    const auto found = find(find(dsdt.begin(), device), status);
    if (found != dsdt.end() && !is_present)
        *(found + static_cast<std::ptrdiff_t>(status.size())) = std::byte{0};
}

Table differentiated_description(const AcpiMachine& machine) {
    const std::span<const unsigned char> compiled =
        machine.chipset == Chipset::I440fx ? std::span<const unsigned char>{dsdt_i440fx_aml_code}
                                           : std::span<const unsigned char>{dsdt_q35_aml_code};
    const auto code = std::as_bytes(compiled);
    Table dsdt{code.begin(), code.end()};
    dsdt[acpi_checksum_offset] = std::byte{0};
    set_presence(dsdt, "HPET", machine.hpet);
    set_presence(dsdt, "KBD_", machine.keyboard);
    set_presence(dsdt, "MOU_", machine.mouse);
    set_presence(dsdt, "FDC0", machine.floppy);
    set_presence(dsdt, "LPT1", machine.parallel_port);
    set_presence(dsdt, "COM1", machine.serial_ports >= 1);
    set_presence(dsdt, "COM2", machine.serial_ports >= 2);
    return dsdt;
}

// Collects tables, and says in the script what is to be done with each.
class Assembly {
public:
    Assembly() {
        loader_.allocate(acpi_root_file, 16, TableLoader::Zone::FSegment);
        loader_.allocate(acpi_tables_file, 64, TableLoader::Zone::High);
    }

    // Where it lies; without a checksum.
    std::uint32_t place(const Table& table) {
        constexpr std::size_t alignment = 64;  // as the FACS wants it
        tables_.resize((tables_.size() + alignment - 1) / alignment * alignment);
        const auto at = static_cast<std::uint32_t>(tables_.size());
        append_bytes(tables_, table);
        return at;
    }

    std::uint32_t add(const Table& table) {
        const std::uint32_t at = place(table);
        add_checksum(at);
        return at;
    }

    void add_checksum(std::uint32_t table) {
        loader_.add_checksum(acpi_tables_file, table + acpi_checksum_offset, table,
                             load<std::uint32_t>(tables_, table + acpi_length_offset));
    }

    template <class Pointer>
    void point(std::uint32_t at, std::uint32_t target) {
        store(std::span{tables_}, at, Pointer{target});
        loader_.add_pointer(acpi_tables_file, acpi_tables_file, at, sizeof(Pointer));
    }

    // 5.2.7 and 5.2.8: RSDT and XSDT.
    template <class Pointer>
    std::uint32_t add_root_table(std::string_view signature,
                                 const std::vector<std::uint32_t>& listed) {
        Table table = begin_table(signature, 1);
        const std::size_t header = table.size();
        table.resize(header + listed.size() * sizeof(Pointer));
        set_length(table);
        const std::uint32_t at = place(table);
        for (std::size_t index = 0; index < listed.size(); ++index)
            point<Pointer>(static_cast<std::uint32_t>(at + header + index * sizeof(Pointer)),
                           listed[index]);
        add_checksum(at);
        return at;
    }

    // 5.2.5.3 Root System Description Pointer.
    void add_root(std::uint32_t rsdt, std::uint32_t xsdt) {
        constexpr std::uint32_t first_part = 20, whole = 36;
        const bool extended = xsdt != 0;
        append_text(root_, "RSD PTR ");
        append(root_, std::uint8_t{0});
        append_text(root_, "BKPL\0\0"sv);
        append(root_, static_cast<std::uint8_t>(extended ? 2 : 0));
        append(root_, rsdt);
        loader_.add_pointer(acpi_root_file, acpi_tables_file, 16, 4);
        if (extended) {
            append(root_, whole);
            append(root_, std::uint64_t{xsdt});
            append(root_, std::uint32_t{0});
            loader_.add_pointer(acpi_root_file, acpi_tables_file, 24, 8);
        }
        loader_.add_checksum(acpi_root_file, 8, 0, first_part);
        if (extended) loader_.add_checksum(acpi_root_file, 32, 0, whole);
    }

    AcpiFiles files() const { return {root_, tables_, loader_.script()}; }

private:
    TableLoader loader_;
    Table root_, tables_;
};

}  // namespace

AcpiFiles make_acpi_files(const AcpiMachine& machine) {
    const bool newer = machine.chipset == Chipset::Q35;
    Assembly assembly;
    const std::uint32_t facs = assembly.place(firmware_control());
    const std::uint32_t dsdt = assembly.add(differentiated_description(machine));

    const std::uint32_t fadt = assembly.place(
        fixed_description(machine.chipset, machine.power_management_base));
    assembly.point<std::uint32_t>(fadt + fadt::facs, facs);
    assembly.point<std::uint32_t>(fadt + fadt::dsdt, dsdt);
    if (newer) assembly.point<std::uint64_t>(fadt + fadt::extended_dsdt, dsdt);
    assembly.add_checksum(fadt);

    std::vector<std::uint32_t> listed{fadt};
    listed.push_back(assembly.add(machine_namespace(machine)));
    listed.push_back(assembly.add(InterruptControllers{machine.cpus}.table()));
    if (machine.hpet) listed.push_back(assembly.add(high_precision_timer()));
    if (newer && machine.configuration_size != 0)
        listed.push_back(assembly.add(configuration_space(machine)));
    listed.push_back(assembly.add(emulated_devices()));

    const std::uint32_t rsdt = assembly.add_root_table<std::uint32_t>("RSDT", listed);
    const std::uint32_t xsdt = newer ? assembly.add_root_table<std::uint64_t>("XSDT", listed) : 0;
    assembly.add_root(rsdt, xsdt);
    return assembly.files();
}

}  // namespace backplane::firmware
