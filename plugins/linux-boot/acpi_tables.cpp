#include "acpi_tables.h"

#include "dsdt.hex"  // dsdt_aml_code, made of dsdt.asl
#include "little_endian.h"

#include <cstring>
#include <span>
#include <string_view>

namespace backplane::linux_boot {

namespace {

using namespace std::string_view_literals;

// Section numbers are those of the ACPI specification 6.4.

constexpr std::uint64_t local_apic_address = 0xfee00000, io_apic_address = 0xfec00000;
constexpr std::uint16_t system_control_interrupt = 9;
constexpr std::uint16_t power_management_ports = 0x600;  // chipset.acpi-pm
constexpr std::uint16_t reset_port = 0xcf9;
constexpr std::byte hard_reset{0x06};

using Table = std::vector<std::byte>;

void append(Table& table, std::string_view text) {
    const auto bytes = std::as_bytes(std::span{text});
    table.insert(table.end(), bytes.begin(), bytes.end());
}

template <class T>
void append(Table& table, T value) {
    table.resize(table.size() + sizeof value);
    store(std::span{table}, table.size() - sizeof value, value);
}

void set_checksum(std::span<std::byte> bytes, std::size_t at) {
    std::uint8_t sum = 0;
    bytes[at] = std::byte{0};
    for (const std::byte byte : bytes)
        sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(byte));
    bytes[at] = std::byte(static_cast<std::uint8_t>(-sum));
}

// 5.2.6 System Description Table Header; length and checksum come with `finish`.
Table begin(std::string_view signature, std::uint8_t revision) {
    Table table;
    append(table, signature);
    append(table, std::uint32_t{0});
    append(table, revision);
    append(table, std::uint8_t{0});
    append(table, "BKPL\0\0"sv);
    append(table, "BACKPLAN"sv);
    append(table, std::uint32_t{1});
    append(table, "BKPL"sv);
    append(table, std::uint32_t{1});
    return table;
}

Table finish(Table table) {
    store(std::span{table}, 4, static_cast<std::uint32_t>(table.size()));
    set_checksum(table, 9);
    return table;
}

// 5.2.3.2 Generic Address Structure of an I/O port, accessed as a whole.
void set_port(Table& table, std::size_t offset, std::uint16_t port, std::uint8_t bits) {
    table[offset] = std::byte{1};
    table[offset + 1] = std::byte(bits);
    table[offset + 3] = std::byte(bits == 8 ? 1 : bits == 16 ? 2 : 3);
    store(std::span{table}, offset + 4, std::uint64_t{port});
}

// 5.2.9 Fixed ACPI Description Table, as of ACPI 2.0, which brought the reset register.
Table fixed_description(std::uint64_t facs, std::uint64_t dsdt) {
    constexpr std::uint32_t wbinvd = 1u << 0, c1_supported = 1u << 2, no_sleep_button = 1u << 5,
                            rtc_not_fixed = 1u << 6, reset_register = 1u << 10;
    constexpr std::uint16_t legacy_devices = 1u << 0, no_vga = 1u << 2;
    constexpr std::uint16_t event = power_management_ports, control = event + 4, timer = event + 8,
                            general = event + 12;

    Table table = begin("FACP"sv, 3);
    table.resize(244);
    const std::span bytes{table};
    store(bytes, 36, static_cast<std::uint32_t>(facs));
    store(bytes, 40, static_cast<std::uint32_t>(dsdt));
    store(bytes, 46, system_control_interrupt);
    // SMI_CMD stays 0: ACPI mode is always on. P_LVL2_LAT and P_LVL3_LAT beyond 100 and 1000 us: no
    // C2, no C3.
    store(bytes, 56, std::uint32_t{event});
    store(bytes, 64, std::uint32_t{control});
    store(bytes, 76, std::uint32_t{timer});
    store(bytes, 80, std::uint32_t{general});
    store(bytes, 88, std::uint8_t{4});  // PM1_EVT_LEN
    store(bytes, 89, std::uint8_t{2});  // PM1_CNT_LEN
    store(bytes, 91, std::uint8_t{4});  // PM_TMR_LEN
    store(bytes, 92, std::uint8_t{4});  // GPE0_BLK_LEN
    store(bytes, 96, std::uint16_t{0xfff});
    store(bytes, 98, std::uint16_t{0xfff});
    store(bytes, 108, std::uint8_t{0x32});  // CENTURY, in the CMOS
    store(bytes, 109, static_cast<std::uint16_t>(legacy_devices | no_vga));
    store(bytes, 112, wbinvd | c1_supported | no_sleep_button | rtc_not_fixed | reset_register);
    set_port(table, 116, reset_port, 8);
    table[128] = hard_reset;
    // X_FIRMWARE_CTRL stays 0: with both, a kernel would take it for a second FACS.
    store(bytes, 140, dsdt);
    set_port(table, 148, event, 32);
    set_port(table, 172, control, 16);
    set_port(table, 208, timer, 32);
    set_port(table, 220, general, 32);
    table[223] = std::byte{1};  // its two halves are accessed as bytes
    return finish(std::move(table));
}

// 5.2.12 Multiple APIC Description Table.
Table interrupt_controllers(unsigned cpus) {
    constexpr std::uint32_t has_8259 = 1;
    constexpr std::uint16_t as_the_bus_has_it = 0, active_high_level = 0xd;

    Table table = begin("APIC"sv, 3);
    append(table, static_cast<std::uint32_t>(local_apic_address));
    append(table, has_8259);
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        append(table, std::uint16_t{0x0800});  // type 0, length 8
        append(table, static_cast<std::uint8_t>(cpu));
        append(table, static_cast<std::uint8_t>(cpu));
        append(table, std::uint32_t{1});  // enabled
    }
    append(table, std::uint16_t{0x0c01});  // type 1, length 12
    append(table, std::uint16_t{0});       // I/O APIC ID 0
    append(table, static_cast<std::uint32_t>(io_apic_address));
    append(table, std::uint32_t{0});  // its first interrupt

    const auto override_source = [&](std::uint8_t isa, std::uint32_t input, std::uint16_t flags) {
        append(table, std::uint16_t{0x0a02});  // type 2, length 10
        append(table, std::uint8_t{0});        // ISA
        append(table, isa);
        append(table, input);
        append(table, flags);
    };
    override_source(0, 2, as_the_bus_has_it);  // the 8254; input 0 belongs to the 8259s
    override_source(system_control_interrupt, system_control_interrupt, active_high_level);

    append(table, std::uint16_t{0x0604});  // type 4, length 6: NMI on LINT1 of every processor
    append(table, std::uint8_t{0xff});
    append(table, std::uint16_t{0});
    append(table, std::uint8_t{1});
    return finish(std::move(table));
}

// 5.2.10 Firmware ACPI Control Structure.
Table firmware_control() {
    Table table(64);
    store(std::span{table}, 0, std::uint32_t{0x53434146});  // "FACS"
    store(std::span{table}, 4, std::uint32_t{64});
    table[32] = std::byte{1};
    return table;
}

// 5.2.5.3 Root System Description Pointer.
Table root_pointer(std::uint64_t rsdt, std::uint64_t xsdt) {
    Table table;
    append(table, "RSD PTR "sv);
    append(table, std::uint8_t{0});
    append(table, "BKPL\0\0"sv);
    append(table, std::uint8_t{2});
    append(table, static_cast<std::uint32_t>(rsdt));
    append(table, std::uint32_t{36});
    append(table, xsdt);
    append(table, std::uint32_t{0});
    set_checksum(std::span{table}.first(20), 8);
    set_checksum(table, 32);
    return table;
}

template <class Pointer>
Table root_table(std::string_view signature, std::initializer_list<std::uint64_t> tables) {
    Table table = begin(signature, 1);
    for (const std::uint64_t address : tables)
        append(table, static_cast<Pointer>(address));
    return finish(std::move(table));
}

}  // namespace

AcpiTables acpi_tables(std::uint64_t base, unsigned cpus) {
    constexpr std::size_t root_pointer_size = 36;
    AcpiTables result{.rsdp = base, .bytes = Table(root_pointer_size)};
    const auto place = [&](const Table& table) {
        const std::size_t offset = (result.bytes.size() + 63) &
                                   ~std::size_t{63};  // as the FACS wants it
        result.bytes.resize(offset);
        result.bytes.insert(result.bytes.end(), table.begin(), table.end());
        return base + offset;
    };
    const auto code = std::as_bytes(std::span{dsdt_aml_code});
    const std::uint64_t facs = place(firmware_control());
    const std::uint64_t dsdt = place(Table{code.begin(), code.end()});
    const std::uint64_t fadt = place(fixed_description(facs, dsdt));
    const std::uint64_t madt = place(interrupt_controllers(cpus));
    const std::uint64_t rsdt = place(root_table<std::uint32_t>("RSDT"sv, {fadt, madt}));
    const std::uint64_t xsdt = place(root_table<std::uint64_t>("XSDT"sv, {fadt, madt}));
    const Table pointer = root_pointer(rsdt, xsdt);
    std::memcpy(result.bytes.data(), pointer.data(), pointer.size());
    return result;
}

}  // namespace backplane::linux_boot
