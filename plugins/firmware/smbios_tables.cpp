#include "smbios_tables.h"

#include "smbios_structure.h"

#include <algorithm>
#include <vector>

namespace backplane::firmware {

namespace {

using namespace std::string_view_literals;

// Section numbers are those of DSP0134 3.0.0. Structures have the length of version 2.8, so that
// either entry point can announce them.

constexpr std::uint16_t system_handle = 0x0100, chassis_handle = 0x0300, processor_handle = 0x0400,
                        memory_array_handle = 0x1000, memory_device_handle = 0x1100,
                        memory_map_handle = 0x1300, boot_handle = 0x2000, end_handle = 0x7f00;
constexpr std::uint16_t no_error_handle = 0xfffe, no_handle = 0xffff;

constexpr std::uint64_t kibibyte = 1 << 10, mebibyte = 1 << 20, gibibyte = 1 << 30;
constexpr std::uint64_t usual_module = 16 * gibibyte, most_modules = 64;

// 7.2.1: since 2.6 the first three fields are little endian.
Uuid in_table_order(Uuid uuid) {
    std::ranges::reverse(uuid.begin(), uuid.begin() + 4);
    std::ranges::reverse(uuid.begin() + 4, uuid.begin() + 6);
    std::ranges::reverse(uuid.begin() + 6, uuid.begin() + 8);
    return uuid;
}

// 7.2 System Information (Type 1).
Table system_information(const SmbiosMachine& machine) {
    constexpr std::uint8_t power_switch = 6;
    return SmbiosStructure{1, system_handle}
        .add_text(machine.manufacturer)
        .add_text(machine.product)
        .add_text(machine.version)
        .add_text(machine.serial)
        .add(in_table_order(machine.uuid))
        .add(power_switch)
        .add_text(machine.sku)
        .add_text(machine.family)
        .finish();
}

// 7.4 System Enclosure or Chassis (Type 3).
Table chassis(const SmbiosMachine& machine) {
    constexpr std::uint8_t other = 1, safe = 3, unknown = 2;
    return SmbiosStructure{3, chassis_handle}
        .add_text(machine.manufacturer)
        .add(other)
        .add_text(machine.version)
        .add_text({})  // serial number
        .add_text({})  // asset tag
        .add(safe)     // bootup state,
        .add(safe)     // power supply
        .add(safe)     // and temperature
        .add(unknown)  // security
        .add(std::uint32_t{0})
        .add(std::uint8_t{0})   // height
        .add(std::uint8_t{0})   // power cords
        .add(std::uint16_t{0})  // contained elements: none, of no length
        .add_text({})           // SKU
        .finish();
}

// 7.5 Processor Information (Type 4).
Table processor(const SmbiosMachine& machine) {
    constexpr std::uint8_t central_processor = 3, other = 1, enabled_in_socket = 0x41;
    constexpr std::uint16_t characteristics_unknown = 2, family_other = 1;
    const auto cores = static_cast<std::uint8_t>(std::min(machine.cpus, 255u));
    return SmbiosStructure{4, processor_handle}
        .add_text("CPU 0")
        .add(central_processor)
        .add(other)  // family
        .add_text(machine.processor_manufacturer)
        .add(std::uint64_t{0})  // what CPUID gives
        .add_text(machine.processor_version)
        .add(std::uint8_t{0})   // voltage
        .add(std::uint16_t{0})  // external clock
        .add(machine.processor_mhz)
        .add(machine.processor_mhz)
        .add(enabled_in_socket)
        .add(other)  // upgrade
        .add(no_handle)
        .add(no_handle)
        .add(no_handle)  // caches
        .add_text({})
        .add_text({})
        .add_text({})  // serial number, asset tag, part number
        .add(cores)
        .add(cores)
        .add(cores)
        .add(characteristics_unknown)
        .add(family_other)
        .finish();
}

// 7.17 Physical Memory Array (Type 16).
Table memory_array(std::uint64_t bytes, std::uint16_t modules) {
    constexpr std::uint8_t other = 1, system_memory = 3, multi_bit_correction = 6;
    constexpr std::uint32_t see_extended = 0x80000000;
    const bool extended = bytes / kibibyte >= see_extended;
    return SmbiosStructure{16, memory_array_handle}
        .add(other)
        .add(system_memory)
        .add(multi_bit_correction)
        .add(extended ? see_extended : static_cast<std::uint32_t>(bytes / kibibyte))
        .add(no_error_handle)
        .add(modules)
        .add(extended ? bytes : std::uint64_t{0})
        .finish();
}

// 7.18 Memory Device (Type 17).
Table memory_device(const SmbiosMachine& machine, std::uint16_t index, std::uint64_t bytes) {
    constexpr std::uint16_t unknown_width = 0xffff, other_detail = 2, see_extended = 0x7fff;
    constexpr std::uint8_t dimm = 9, ram = 7;
    const std::uint64_t size = bytes / mebibyte;
    const bool extended = size >= see_extended;
    return SmbiosStructure{17, static_cast<std::uint16_t>(memory_device_handle + index)}
        .add(memory_array_handle)
        .add(no_error_handle)
        .add(unknown_width)
        .add(unknown_width)
        .add(extended ? see_extended : static_cast<std::uint16_t>(size))
        .add(dimm)
        .add(std::uint8_t{0})  // not one of a set
        .add_text("DIMM " + std::to_string(index))
        .add_text({})  // bank
        .add(ram)
        .add(other_detail)
        .add(std::uint16_t{0})  // speed
        .add_text(machine.manufacturer)
        .add_text({})
        .add_text({})
        .add_text({})          // serial number, asset tag, part number
        .add(std::uint8_t{0})  // rank
        .add(extended ? static_cast<std::uint32_t>(size) : 0u)
        .add(std::uint16_t{0})  // configured speed
        .add(std::uint16_t{0})
        .add(std::uint16_t{0})
        .add(std::uint16_t{0})  // voltages
        .finish();
}

// 7.20 Memory Array Mapped Address (Type 19).
Table memory_mapping(std::uint16_t index, MemoryRange range) {
    constexpr std::uint32_t see_extended = 0xffffffff;
    const std::uint64_t first = range.start / kibibyte, last = range.end() / kibibyte - 1;
    const bool extended = last >= see_extended;
    return SmbiosStructure{19, static_cast<std::uint16_t>(memory_map_handle + index)}
        .add(extended ? see_extended : static_cast<std::uint32_t>(first))
        .add(extended ? see_extended : static_cast<std::uint32_t>(last))
        .add(memory_array_handle)
        .add(std::uint8_t{1})  // modules in a row of the partition
        .add(extended ? range.start : std::uint64_t{0})
        .add(extended ? range.end() - 1 : std::uint64_t{0})
        .finish();
}

// 7.33 System Boot Information (Type 32): no errors.
Table boot_information() {
    return SmbiosStructure{32, boot_handle}
        .add(std::uint32_t{0})
        .add(std::uint16_t{0})
        .add(std::uint8_t{0})
        .finish();
}

std::vector<Table> structures(const SmbiosMachine& machine) {
    const std::uint64_t memory = machine.ram.total();
    const std::uint64_t module = std::max(usual_module,
                                          (memory / most_modules / gibibyte + 1) * gibibyte);
    std::vector<std::uint64_t> modules;
    for (std::uint64_t left = memory; left != 0; left -= modules.back())
        modules.push_back(std::min(left, module));

    std::vector<Table> list{system_information(machine), chassis(machine), processor(machine),
                            memory_array(memory, static_cast<std::uint16_t>(modules.size()))};
    std::uint16_t index = 0;
    for (const std::uint64_t module_size : modules)
        list.push_back(memory_device(machine, index++, module_size));
    index = 0;
    if (machine.ram.low_end != 0) list.push_back(memory_mapping(index++, {0, machine.ram.low_end}));
    for (const MemoryRange range : machine.ram.high)
        list.push_back(memory_mapping(index++, range));
    list.push_back(boot_information());
    list.push_back(SmbiosStructure{127, end_handle}.finish());
    return list;
}

// 5.2.1.
Table entry_point_32(std::size_t size, std::size_t count, std::size_t largest) {
    constexpr std::size_t intermediate = 0x10;
    Table anchor;
    append_text(anchor, "_SM_\0\x1f\x02\x08"sv);
    append(anchor, static_cast<std::uint16_t>(largest));
    append_text(anchor, "\0\0\0\0\0\0_DMI_\0"sv);
    append(anchor, static_cast<std::uint16_t>(size));
    append(anchor, std::uint32_t{0});
    append(anchor, static_cast<std::uint16_t>(count));
    append(anchor, std::uint8_t{0x28});
    store(std::span{anchor}, intermediate + 5, checksum(std::span{anchor}.subspan(intermediate)));
    store(std::span{anchor}, 4, checksum(anchor));
    return anchor;
}

// 5.2.2.
Table entry_point_64(std::size_t size) {
    Table anchor;
    append_text(anchor, "_SM3_\0\x18\x03\0\0\x01\0"sv);
    append(anchor, static_cast<std::uint32_t>(size));
    append(anchor, std::uint64_t{0});
    store(std::span{anchor}, 5, checksum(anchor));
    return anchor;
}

}  // namespace

SmbiosFiles make_smbios_files(const SmbiosMachine& machine, SmbiosEntryPoint entry_point) {
    SmbiosFiles files;
    std::size_t largest = 0;
    const std::vector<Table> list = structures(machine);
    for (const Table& structure : list) {
        largest = std::max(largest, structure.size());
        append_bytes(files.tables, structure);
    }
    files.anchor = entry_point == SmbiosEntryPoint::V2_8
                       ? entry_point_32(files.tables.size(), list.size(), largest)
                       : entry_point_64(files.tables.size());
    return files;
}

}  // namespace backplane::firmware
