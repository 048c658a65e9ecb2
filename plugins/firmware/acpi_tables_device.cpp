#include "acpi_tables_device.h"

#include "ram_layout.h"

namespace backplane::firmware {

namespace {

constexpr backplane_firmware_files functions{
    sizeof(backplane_firmware_files), 0,
    thunk<&AcpiTablesDevice::count>,  thunk<&AcpiTablesDevice::describe>,
    thunk<&AcpiTablesDevice::opened>, nullptr};

// Q35 datasheet 316966, 5.1.1, 5.1.2 and 5.1.17: device 0 of bus 0.
constexpr std::uint64_t configuration_address = 0xcf8, configuration_data = 0xcfc;
constexpr std::uint32_t enable_configuration = 0x80000000;
constexpr std::uint32_t host_bridge_id = 0x29c08086;
constexpr std::uint8_t pciexbar = 0x60;
constexpr std::uint32_t pciexbar_enabled = 1, pciexbar_high = 0xf;
constexpr std::array<std::uint64_t, 4> pciexbar_sizes{256 << 20, 128 << 20, 64 << 20, 0};

// The function with the power management registers, and what of its base register is address: PMBA
// of 82371AB 7.1.11, PMBASE of ICH9 13.1.12.
struct PowerManagement {
    std::uint32_t function;  // as the address port selects it
    std::uint32_t id;
    std::uint32_t address_bits;
};
constexpr PowerManagement power_management_of(Chipset chipset) {
    return chipset == Chipset::I440fx ? PowerManagement{1 << 11 | 3 << 8, 0x71138086, 0xffc0}
                                      : PowerManagement{31 << 11, 0x29188086, 0xff80};
}
constexpr std::uint32_t power_management_base = 0x40;

// Firmware allocates whole pages, and what is found later must fit.
constexpr std::size_t granularity = 4096;

}  // namespace

void AcpiTablesDevice::declare(Declaration<AcpiTablesDevice>& d) {
    d.type("firmware.acpi-tables", "ACPI tables of a PC, for firmware.fw-cfg");
    d.property("chipset", &AcpiTablesDevice::chipset_, {"i440fx", "q35"},
               "Which PCI host bridge and ISA bridge the tables describe");
    d.property("hpet", &AcpiTablesDevice::hpet_, "There is an HPET at 0xfed00000");
    d.property("keyboard", &AcpiTablesDevice::keyboard_, "There is a PS/2 keyboard");
    d.property("mouse", &AcpiTablesDevice::mouse_, "There is a PS/2 mouse");
    d.property("floppy", &AcpiTablesDevice::floppy_, "There is a floppy controller at port 0x3f0");
    d.property("serial-ports", &AcpiTablesDevice::serial_ports_,
               "Serial ports: COM1 at port 0x3f8, COM2 at 0x2f8")
        .range(0u, 2u);
    d.property("parallel-port", &AcpiTablesDevice::parallel_port_,
               "There is a parallel port at 0x378");
    d.address_space("memory", &AcpiTablesDevice::memory_,
                    "Tells how much RAM there is, and so where PCI windows can be");
    d.address_space("io", &AcpiTablesDevice::io_,
                    "Tells where firmware has put the power management registers and PCI Express "
                    "configuration space",
                    "io");
    d.connects_all("cpus", &AcpiTablesDevice::cpus_,
                   "All processors, in the order of their APIC IDs");
    d.provides("files", functions, "The tables, and how to place them");
    d.saved("configuration-base", &AcpiTablesDevice::configuration_base_);
    d.saved("configuration-size", &AcpiTablesDevice::configuration_size_);
    d.saved("power-management-base", &AcpiTablesDevice::power_management_base_);
    d.saved("made", &AcpiTablesDevice::is_made_);
}

Outcome AcpiTablesDevice::start() {
    constexpr std::size_t most_cpus = 4096;  // of which each has its own name
    if (cpus_.empty() || cpus_.size() > most_cpus) {
        return std::unexpected("\"cpus\" must name 1 to " + std::to_string(most_cpus) +
                               " processors, not " + std::to_string(cpus_.size()));
    }
    files_ = {File{acpi_root_file, {}}, File{acpi_tables_file, {}}, File{table_loader_file, {}}};
    // As large as they can become: with configuration space between two windows.
    configuration_base_ = configuration_size_ = pciexbar_sizes[0];
    const AcpiFiles files = make();
    configuration_base_ = configuration_size_ = 0;
    const auto room = [](const Table& table) {
        return (table.size() + granularity - 1) / granularity * granularity;
    };
    files_[0].content.resize(files.root.size());
    files_[1].content.resize(room(files.tables));
    files_[2].content.resize(room(files.script));
    return {};
}

void AcpiTablesDevice::reset(ResetKind kind) {
    // At power-on all memory is there and nothing that a guest maps.
    if (kind == ResetKind::PowerOn) {
        const RamLayout ram = find_ram(memory_);
        low_end_ = ram.low_end;
        high_end_ = ram.high_end();
    }
    is_made_ = false;
    configuration_base_ = configuration_size_ = 0;
    power_management_base_ = AcpiMachine{}.power_management_base;
    for (File& file : files_)
        file.content.assign(file.content.size(), std::byte{0});
}

AcpiFiles AcpiTablesDevice::make() const {
    return make_acpi_files({.chipset = chipset_,
                            .cpus = static_cast<unsigned>(cpus_.size()),
                            .low_end = low_end_,
                            .high_end = high_end_,
                            .configuration_base = configuration_base_,
                            .configuration_size = configuration_size_,
                            .power_management_base = power_management_base_,
                            .hpet = hpet_,
                            .keyboard = keyboard_,
                            .mouse = mouse_,
                            .floppy = floppy_,
                            .parallel_port = parallel_port_,
                            .serial_ports = serial_ports_});
}

void AcpiTablesDevice::describe(std::uint32_t index, backplane_firmware_file* file) {
    const File& chosen = files_[index];
    file->name = chosen.name;
    file->data = reinterpret_cast<const std::uint8_t*>(chosen.content.data());
    file->size = chosen.content.size();
}

// Firmware asks for tables after it has set up PCI. The three files go together, so they are made
// once.
void AcpiTablesDevice::opened(std::uint32_t) {
    if (is_made_) return;
    look_at_chipset();
    is_made_ = true;
    restored();
}

void AcpiTablesDevice::restored() {
    if (!is_made_) return;
    const AcpiFiles files = make();
    const auto fill = [](File& file, const Table& content) {
        std::ranges::fill(file.content, std::byte{0});
        std::ranges::copy(content, file.content.begin());
    };
    fill(files_[0], files.root);
    fill(files_[1], files.tables);
    fill(files_[2], files.script);
}

std::uint32_t AcpiTablesDevice::read_configuration(std::uint32_t offset) const {
    const auto& io = io_.connection();
    io.call<&backplane_address_space::write>(configuration_address, 4u,
                                             std::uint64_t{enable_configuration | offset});
    return static_cast<std::uint32_t>(
        io.call<&backplane_address_space::read>(configuration_data, 4u));
}

// Through the ports, as firmware does; the address that it has left there stays.
void AcpiTablesDevice::look_at_chipset() {
    const auto& io = io_.connection();
    const std::uint64_t address = io.call<&backplane_address_space::read>(configuration_address,
                                                                          4u);
    find_power_management();
    find_configuration_space();
    io.call<&backplane_address_space::write>(configuration_address, 4u, address);
}

// SeaBIOS puts them at 0x600, OVMF those of the PIIX4 at 0xb000.
void AcpiTablesDevice::find_power_management() {
    const PowerManagement chip = power_management_of(chipset_);
    if (read_configuration(chip.function) != chip.id) return;
    const std::uint32_t base = read_configuration(chip.function | power_management_base) &
                               chip.address_bits;
    if (base != 0) power_management_base_ = static_cast<std::uint16_t>(base);
}

void AcpiTablesDevice::find_configuration_space() {
    configuration_base_ = configuration_size_ = 0;
    if (chipset_ != Chipset::Q35 || read_configuration(0) != host_bridge_id) return;
    const std::uint32_t low = read_configuration(pciexbar);
    const std::uint32_t high = read_configuration(pciexbar + 4) & pciexbar_high;
    const std::uint64_t size = pciexbar_sizes[low >> 1 & 3];
    if ((low & pciexbar_enabled) == 0 || size == 0) return;
    configuration_size_ = size;
    configuration_base_ = (std::uint64_t{high} << 32 | low) & ~(size - 1);
}

}  // namespace backplane::firmware
