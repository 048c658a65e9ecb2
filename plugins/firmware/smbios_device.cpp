#include "smbios_device.h"

namespace backplane::firmware {

namespace {

constexpr backplane_firmware_files functions{
    sizeof(backplane_firmware_files), 0,       thunk<&SmbiosDevice::count>,
    thunk<&SmbiosDevice::describe>,   nullptr, nullptr};

constexpr std::uint64_t hertz_per_mhz = 1'000'000, largest_mhz = 0xffff;
// The 32-bit entry point has 16 bits for it.
constexpr std::size_t largest_table = 0xffff;
// Of the structures that come when memory is known; each repeats the manufacturer.
constexpr std::size_t most_memory_structures = 70, memory_structure_size = 64;

}  // namespace

void SmbiosDevice::declare(Declaration<SmbiosDevice>& d) {
    d.type("firmware.smbios-tables",
           "What machine this is, for operating systems; for firmware.fw-cfg");
    d.property("manufacturer", &SmbiosDevice::manufacturer_, "Who made the machine");
    d.property("product", &SmbiosDevice::product_, "What it is called");
    d.property("version", &SmbiosDevice::version_, "Its version");
    d.property("serial", &SmbiosDevice::serial_, "Its serial number");
    d.property("sku", &SmbiosDevice::sku_, "Its stock keeping unit");
    d.property("family", &SmbiosDevice::family_, "The family it belongs to");
    d.property("uuid", &SmbiosDevice::uuid_, "Its identity; empty = none");
    d.property("processor-manufacturer", &SmbiosDevice::processor_manufacturer_,
               "Who made the processor");
    d.property("processor-version", &SmbiosDevice::processor_version_,
               "What the processor is called");
    d.property("processor-frequency", &SmbiosDevice::processor_frequency_,
               "Its frequency; 0 = unknown")
        .range(Hertz{0}, Hertz{largest_mhz * hertz_per_mhz});
    d.property("entry-point", &SmbiosDevice::entry_point_, {"2.8", "3.0"},
               "SMBIOS version and kind of entry point: 32-bit, or 64-bit");
    d.address_space("memory", &SmbiosDevice::memory_, "Tells how much RAM there is");
    d.connects_all("cpus", &SmbiosDevice::cpus_, "All processors");
    d.provides("files", functions, "The tables");
}

Outcome SmbiosDevice::start() {
    if (!parse_uuid(uuid_)) {
        return std::unexpected("uuid \"" + uuid_ +
                               "\" is none; one looks like 123e4567-e89b-12d3-a456-426614174000");
    }
    if (cpus_.empty()) return std::unexpected{std::string{"\"cpus\" names no processor"}};
    files_ = make();
    const std::size_t memory_structures = most_memory_structures *
                                          (memory_structure_size + manufacturer_.size());
    if (files_.tables.size() + memory_structures > largest_table) {
        return std::unexpected("the SMBIOS tables would have " +
                               std::to_string(files_.tables.size() + memory_structures) +
                               " bytes; at most " + std::to_string(largest_table) +
                               " are possible, so shorten the texts");
    }
    return {};
}

// At power-on all memory is there and nothing that a guest maps.
void SmbiosDevice::reset(ResetKind kind) {
    if (kind == ResetKind::PowerOn) files_ = make();
}

SmbiosFiles SmbiosDevice::make() const {
    return make_smbios_files(
        {.manufacturer = manufacturer_,
         .product = product_,
         .version = version_,
         .serial = serial_,
         .sku = sku_,
         .family = family_,
         .processor_manufacturer = processor_manufacturer_,
         .processor_version = processor_version_,
         .uuid = parse_uuid(uuid_).value(),
         .cpus = static_cast<unsigned>(cpus_.size()),
         .processor_mhz = static_cast<std::uint16_t>(processor_frequency_.value / hertz_per_mhz),
         .ram = find_ram(memory_)},
        entry_point_);
}

void SmbiosDevice::describe(std::uint32_t index, backplane_firmware_file* file) {
    const Table& content = index == 0 ? files_.anchor : files_.tables;
    file->name = index == 0 ? "etc/smbios/smbios-anchor" : "etc/smbios/smbios-tables";
    file->data = reinterpret_cast<const std::uint8_t*>(content.data());
    file->size = content.size();
}

}  // namespace backplane::firmware
