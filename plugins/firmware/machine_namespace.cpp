#include "machine_namespace.h"

#include "acpi_table.h"
#include "aml.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace backplane::firmware {

namespace {

using aml::operator+;  // NOLINT(misc-unused-using-decls): of byte tables

constexpr std::uint64_t gibibyte = std::uint64_t{1} << 30, page = 4096;
constexpr std::uint64_t four_gibibytes = 4 * gibibyte;
constexpr std::uint64_t first_apic_address = 0xfec00000;
constexpr std::uint32_t pnp0c02 = 0x020cd041;  // EisaId of resources of the mainboard

std::uint64_t align_up(std::uint64_t value, std::uint64_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

Table processors(unsigned count) {
    Table terms;
    for (unsigned cpu = 0; cpu < count; ++cpu) {
        std::array<char, 8> name{};
        std::snprintf(name.data(), name.size(), "C%03X", cpu & 0xfff);
        terms = std::move(terms) +
                (cpu <= largest_processor_id
                     ? aml::processor(name.data(), static_cast<std::uint8_t>(cpu))
                     : aml::device(name.data(), aml::name("_HID", aml::text("ACPI0007")) +
                                                    aml::name("_UID", aml::integer(cpu))));
    }
    return terms;
}

Table memory_windows_below_4_gibibytes(const AcpiMachine& machine) {
    const auto window = [](std::uint64_t first, std::uint64_t end) {
        if (first >= end) return Table{};
        return aml::memory_window_32(static_cast<std::uint32_t>(first),
                                     static_cast<std::uint32_t>(end - 1));
    };
    const std::uint64_t start = align_up(machine.low_end, page);
    const std::uint64_t taken = machine.configuration_base;
    const std::uint64_t taken_end = taken + machine.configuration_size;
    if (machine.configuration_size == 0 || taken >= first_apic_address)
        return window(start, first_apic_address);
    return window(start, taken) + window(std::max(start, taken_end), first_apic_address);
}

// Firmware chooses: SeaBIOS from the end of memory on, OVMF from a multiple of 32 GiB on, which is
// as much as it uses.
Table memory_window_above_4_gibibytes(const AcpiMachine& machine) {
    constexpr std::uint64_t ovmf_window = 32 * gibibyte;
    const std::uint64_t start = align_up(std::max(machine.high_end, four_gibibytes), gibibyte);
    const std::uint64_t end = align_up(start, ovmf_window) + ovmf_window;
    return aml::memory_window_64(start, end - 1);
}

// Ports 0xcf8 to 0xcff are the bridge's own.
Table host_bridge_windows(const AcpiMachine& machine) {
    constexpr std::uint64_t bytes_per_bus = 1 << 20;
    const std::uint64_t buses = machine.configuration_size == 0
                                    ? 256
                                    : machine.configuration_size / bytes_per_bus;
    return aml::resources(
        aml::bus_numbers(0, static_cast<std::uint16_t>(buses - 1)) + aml::fixed_ports(0xcf8, 8) +
        aml::port_window(0, 0xcf7) + aml::port_window(0xd00, 0xffff) +
        aml::memory_window_32(0xa0000, 0xbffff) + memory_windows_below_4_gibibytes(machine) +
        memory_window_above_4_gibibytes(machine));
}

// 82371AB 7.2: 64 ports; ICH9 13.8.3: 128.
Table reserved_power_management_ports(const AcpiMachine& machine) {
    const std::uint8_t count = machine.chipset == Chipset::I440fx ? 64 : 128;
    return aml::device("MBRD", aml::name("_HID", aml::integer(pnp0c02)) +
                                   aml::name("_UID", aml::integer(0)) +
                                   aml::name("_CRS", aml::resources(aml::fixed_ports(
                                                         machine.power_management_base, count))));
}

Table reserved_configuration_space(const AcpiMachine& machine) {
    if (machine.configuration_size == 0 || machine.configuration_base >= four_gibibytes) return {};
    return aml::device(
        "MCFG",
        aml::name("_HID", aml::integer(pnp0c02)) + aml::name("_UID", aml::integer(1)) +
            aml::name("_CRS", aml::resources(aml::fixed_memory(
                                  static_cast<std::uint32_t>(machine.configuration_base),
                                  static_cast<std::uint32_t>(machine.configuration_size)))));
}

}  // namespace

Table machine_namespace(const AcpiMachine& machine) {
    Table table = begin_table("SSDT", 1);
    table = std::move(table) +
            aml::scope("\\_SB", processors(machine.cpus) +
                                    reserved_power_management_ports(machine) +
                                    reserved_configuration_space(machine)) +
            aml::scope("\\_SB.PCI0", aml::name("_CRS", host_bridge_windows(machine)));
    set_length(table);
    return table;
}

}  // namespace backplane::firmware
