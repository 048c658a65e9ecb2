#include "fixed_description.h"

#include "acpi_table.h"

namespace backplane::firmware {

namespace {

constexpr std::uint16_t system_control_interrupt = 9;
constexpr std::uint16_t event = 0, control = 4, timer = 8;  // of the power management registers
constexpr std::uint16_t reset_port = 0xcf9;
constexpr std::uint8_t hard_reset = 0x06;
constexpr std::uint8_t century_in_cmos = 0x32;
constexpr std::uint16_t no_c2 = 0xfff, no_c3 = 0xfff;  // latencies beyond what they may be

// General-purpose events: after the timer on the PIIX4 (82371AB 7.2.5), 9.10 of the ICH9.
struct GeneralEvents {
    std::uint16_t offset;
    std::uint8_t length;
};
constexpr GeneralEvents general_events(Chipset chipset) {
    return chipset == Chipset::I440fx ? GeneralEvents{0x0c, 4} : GeneralEvents{0x20, 16};
}

constexpr std::uint32_t wbinvd = 1u << 0, c1_supported = 1u << 2, no_sleep_button = 1u << 5,
                        rtc_not_fixed = 1u << 6, reset_register = 1u << 10;
constexpr std::uint16_t legacy_devices = 1u << 0, has_8042 = 1u << 1;
constexpr std::uint8_t multiple_apic = 1;  // INT_MODEL of ACPI 1.0

// 5.2.3.2 Generic Address Structure of I/O ports.
enum class AccessSize : std::uint8_t { Byte = 1, Word = 2, Dword = 3 };

void store_port(Table& table, std::size_t offset, std::uint16_t port, std::uint8_t bytes,
                AccessSize access) {
    constexpr std::uint8_t system_io = 1;
    store(std::span{table}, offset, system_io);
    store(std::span{table}, offset + 1, static_cast<std::uint8_t>(bytes * 8));
    store(std::span{table}, offset + 3, access);
    store(std::span{table}, offset + 4, std::uint64_t{port});
}

}  // namespace

Table fixed_description(Chipset chipset, std::uint16_t power_management) {
    const bool newer = chipset == Chipset::Q35;
    const GeneralEvents general = general_events(chipset);
    const auto port = [&](std::uint16_t offset) {
        return static_cast<std::uint16_t>(power_management + offset);
    };

    Table table = begin_table("FACP", newer ? 3 : 1);
    table.resize(newer ? 244 : 116);
    set_length(table);
    const std::span bytes{table};
    if (!newer) store(bytes, 44, multiple_apic);
    store(bytes, 46, system_control_interrupt);
    // SMI_CMD stays 0: there is no system management mode to take the events away from the guest,
    // and ACPI mode is always on.
    store(bytes, 56, std::uint32_t{port(event)});
    store(bytes, 64, std::uint32_t{port(control)});
    store(bytes, 76, std::uint32_t{port(timer)});
    store(bytes, 80, std::uint32_t{port(general.offset)});
    store(bytes, 88, std::uint8_t{4});  // PM1_EVT_LEN
    store(bytes, 89, std::uint8_t{2});  // PM1_CNT_LEN
    store(bytes, 91, std::uint8_t{4});  // PM_TMR_LEN
    store(bytes, 92, general.length);
    store(bytes, 96, no_c2);
    store(bytes, 98, no_c3);
    store(bytes, 108, century_in_cmos);
    store(bytes, 112, wbinvd | c1_supported | no_sleep_button | rtc_not_fixed);
    if (!newer) return table;

    store(bytes, 109, static_cast<std::uint16_t>(legacy_devices | has_8042));
    store(bytes, 112, load<std::uint32_t>(bytes, 112) | reset_register);
    store_port(table, 116, reset_port, 1, AccessSize::Byte);
    store(bytes, 128, hard_reset);
    // X_FIRMWARE_CTRL stays 0: with both, a kernel would take it for a second FACS.
    store_port(table, 148, port(event), 4, AccessSize::Word);
    store_port(table, 172, port(control), 2, AccessSize::Word);
    store_port(table, 208, port(timer), 4, AccessSize::Dword);
    store_port(table, 220, port(general.offset), general.length, AccessSize::Byte);
    return table;
}

}  // namespace backplane::firmware
