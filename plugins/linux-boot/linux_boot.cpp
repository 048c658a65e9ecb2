#include "linux_boot.h"

#include "acpi_tables.h"
#include "boot_params.h"
#include "boot_protocol.h"
#include "file_content.h"
#include "kernel_entry.h"
#include "little_endian.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace backplane::linux_boot {

namespace {

// Below 640 KiB, where the kernel copies from before it uses that memory for itself.
constexpr std::uint64_t descriptors_address = 0x1000;
constexpr std::uint64_t zero_page_address = 0x7000;
constexpr std::uint64_t stack_address = 0x9000;  // grows down to the end of the zero page
constexpr std::uint64_t page_tables_address = 0x9000;
constexpr std::uint64_t command_line_address = 0x20000;
constexpr Range scratch{descriptors_address, 0x40000};

constexpr std::uint64_t page = 4096;
constexpr std::size_t acpi_root_size = 36;
constexpr std::uint64_t one_mebibyte = 0x100000;

std::string mebibytes(std::uint64_t bytes) {
    return std::to_string((bytes + 0xfffff) >> 20) + " MiB";
}

std::string to_text(const std::vector<Range>& ranges) {
    std::string text;
    for (const Range range : ranges)
        text += (text.empty() ? "" : ", ") + linux_boot::to_text(range);
    return text.empty() ? "nowhere" : text;
}

std::string about(const char* what, const std::filesystem::path& path, const std::string& why) {
    return std::string{what} + " \"" + path.string() + "\" " + why;
}

}  // namespace

void LinuxBoot::declare(Declaration<LinuxBoot>& d) {
    d.type("boot.linux", "Loads a kernel and starts it without firmware: Linux by its 64-bit or "
                         "32-bit boot protocol, others by Multiboot or PVH");
    d.property("kernel", &LinuxBoot::kernel_path_,
               "A bzImage of boot protocol 2.10 (Linux 2.6.31) or later, a Multiboot or Multiboot2 "
               "kernel, or an ELF file with a PVH entry; needed to run");
    d.property("initrd", &LinuxBoot::initrd_path_,
               "Initial RAM disk; of Multiboot and PVH kernels the modules, separated by commas, "
               "each with its parameters after a space; none when empty");
    d.property("command-line", &LinuxBoot::command_line_, "The kernel's parameters");
    d.property("required", &LinuxBoot::required_,
               "Refuse to run without a kernel; otherwise the firmware starts then");
    d.property(
        "acpi", &LinuxBoot::acpi_,
        "Give the kernel ACPI tables; without \"tables\" they need local APICs at 0xfee00000, "
        "an I/O APIC at 0xfec00000, chipset.acpi-pm at port 0x600 and RAM at 0xe0000");
    d.property(
        "pci-settings", &LinuxBoot::pci_settings_text_,
        "What firmware would set in PCI configuration space before it starts a kernel, as in "
        "\"01.3/40.l=601 01.3/80.b=1\"; none when empty");
    d.property("port-settings", &LinuxBoot::port_settings_text_,
               "What firmware would write into I/O ports before it starts a kernel, as in "
               "\"d6=c0 d4=0\"; none when empty");
    d.address_space("memory", &LinuxBoot::memory_,
                    "Where the kernel is loaded; its RAM is what the kernel is told about");
    d.address_space("io", &LinuxBoot::io_, "Where PCI configuration space and the ports are", "io");
    d.connects_all("cpus", &LinuxBoot::cpus_,
                   "All processors, in the order of their APIC IDs; the first one boots");
    d.connects_all("tables", &LinuxBoot::providers_,
                   "Who has ACPI tables of the machine and the script that places them, as for "
                   "firmware; without any, the tables tell of CPUs and APICs only");
}

Outcome LinuxBoot::start() {
    // Not a required property, so that a machine file can be complete without a kernel.
    if (kernel_path_.empty()) {
        if (!required_) return {};
        return std::unexpected(
            "there is no kernel to boot: give one with --kernel FILE, or as \"kernel\"");
    }
    if (cpus_.empty())
        return std::unexpected("\"cpus\" names no CPU; give at least the one that boots");
    auto settings = parse_pci_settings(pci_settings_text_);
    if (!settings) return std::unexpected(settings.error());
    pci_settings_ = std::move(*settings);
    auto ports = parse_port_settings(port_settings_text_);
    if (!ports) return std::unexpected(ports.error());
    port_settings_ = std::move(*ports);
    auto file = read_file(kernel_path_);
    if (!file) return std::unexpected(about("kernel", kernel_path_, file.error()));
    ram_ = all_ram_ = find_ram(memory_);
    is_linux_ = is_linux_image(*file);
    const Outcome read = is_linux_ ? read_linux(std::move(*file)) : read_other(std::move(*file));
    if (!read) return read;
    if (auto outcome = plan(); !outcome) return outcome;
    return check_acpi_memory();
}

// Where everything goes, with the tables that are there by now.
Outcome LinuxBoot::plan() {
    if (has_own_tables()) acpi_root_ = firmware_tables.start;
    const Outcome outcome = is_linux_ ? plan_linux() : plan_other();
    if (!outcome) return outcome;
    auto checked = CpuRegisters{cpus_.front()}.check(entry_);
    if (!checked && is_linux_ && entry_mode_ == EntryMode::Bits64)
        return std::unexpected(
            about("kernel", kernel_path_, "is for 64-bit processors: " + checked.error()));
    return checked;
}

Outcome LinuxBoot::plan_linux() {
    for (const auto step : {&LinuxBoot::place_kernel, &LinuxBoot::place_initrd}) {
        if (auto outcome = (this->*step)(); !outcome) return outcome;
    }
    if (auto outcome = check_low_memory(); !outcome) return outcome;

    const bool wide = kernel_.has_entry_64();
    entry_mode_ = wide ? EntryMode::Bits64 : EntryMode::Bits32;
    entry_ = registers_at_entry(
        {.mode = entry_mode_,
         .entry = kernel_address_ + (wide ? boot_params::entry_64 : boot_params::entry_32),
         .boot_params = zero_page_address,
         .page_tables = page_tables_address,
         .descriptors = descriptors_address,
         .stack = stack_address});
    return {};
}

Outcome LinuxBoot::read_linux(std::vector<std::byte> file) {
    auto kernel = KernelImage::parse(std::move(file));
    if (!kernel) return std::unexpected(about("kernel", kernel_path_, kernel.error()));
    kernel_ = std::move(*kernel);

    if (!initrd_path_.empty()) {
        auto initrd = read_file(initrd_path_);
        if (!initrd) return std::unexpected(about("initrd", initrd_path_, initrd.error()));
        initrd_ = std::move(*initrd);
    }
    if (command_line_.size() > kernel_.command_line_limit()) {
        return std::unexpected("the command line has " + std::to_string(command_line_.size()) +
                               " bytes, but kernel \"" + kernel_path_.string() +
                               "\" takes at most " + std::to_string(kernel_.command_line_limit()));
    }
    return {};
}

Outcome LinuxBoot::read_other(std::vector<std::byte> file) {
    other_ = std::move(file);
    request_.kernel_name = kernel_path_.string();
    request_.command_line = command_line_;
    for (const ModuleName& name : parse_module_list(initrd_path_.string())) {
        auto content = read_file(name.path);
        if (!content) return std::unexpected(about("module", name.path, content.error()));
        request_.modules.push_back({name.command_line, std::move(*content)});
    }
    return {};
}

Outcome LinuxBoot::plan_other() {
    request_.ram = ram_;
    request_.acpi_memory = tables_.memory;
    request_.acpi_root = acpi_root_;
    if (has_own_tables()) {
        const auto tables = acpi_tables(acpi_root_, static_cast<unsigned>(cpus_.size()));
        request_.acpi_root_content.assign(tables.bytes.begin(),
                                          tables.bytes.begin() + acpi_root_size);
    } else if (!tables_.tables.empty()) {
        const auto root = tables_.root_pointer();
        request_.acpi_root_content.assign(root.begin(), root.end());
    }
    auto plan = plan_boot(other_, request_);
    if (!plan) return std::unexpected(about("kernel", kernel_path_, plan.error()));
    plan_ = std::move(*plan);
    entry_ = plan_.registers;
    return {};
}

// Providers have sizes when they were reset, and contents when the chip set is set up.
Outcome LinuxBoot::take_tables() {
    if (!acpi_ || providers_.empty()) return {};
    if (!contains(all_ram_, bios_data) || !contains(all_ram_, extended_bios_data))
        return std::unexpected("there must be RAM at " + linux_boot::to_text(bios_data) + " and " +
                               linux_boot::to_text(extended_bios_data) +
                               " for the ACPI root pointer (or set acpi to false); RAM is at " +
                               to_text(all_ram_));
    auto tables = load_tables(providers_, all_ram_);
    if (!tables) return std::unexpected(tables.error());
    tables_ = std::move(*tables);
    acpi_root_ = tables_.root_address();
    ram_ = without(all_ram_, tables_.memory);
    return plan();
}

Outcome LinuxBoot::check_low_memory() const {
    if (contains(ram_, scratch)) return {};
    return std::unexpected("there must be RAM at " + linux_boot::to_text(scratch) +
                           " for the kernel's parameters; RAM is at " + to_text(ram_));
}

Outcome LinuxBoot::check_acpi_memory() const {
    if (!has_own_tables() || contains(ram_, firmware_tables)) return {};
    return std::unexpected("there must be RAM at " + linux_boot::to_text(firmware_tables) +
                           " for the ACPI tables (or set acpi to false); RAM is at " +
                           to_text(ram_));
}

Outcome LinuxBoot::place_kernel() {
    const std::uint64_t size = kernel_.memory_needed();
    // Low memory is full of what the kernel is given; 0 is no preference.
    const std::uint64_t preferred = std::max<std::uint64_t>(kernel_.preferred_address(),
                                                            one_mebibyte);
    // The identity map ends at 4 GiB, and so does what a 32-bit kernel reaches.
    if (preferred + size <= std::uint64_t{4} << 30 && preferred == kernel_.preferred_address() &&
        contains(ram_, {preferred, preferred + size})) {
        kernel_address_ = preferred;
        return {};
    }
    if (kernel_.is_relocatable()) {
        // Not lower: Linux would move itself up to the preferred address (head_64.S,
        // LOAD_PHYSICAL_ADDR).
        const auto place = lowest_place(ram_, size, kernel_.alignment(), preferred);
        if (place && *place + size <= std::uint64_t{4} << 30) {
            kernel_address_ = *place;
            return {};
        }
    }
    const std::string where = kernel_.is_relocatable()
                                  ? "between " + mebibytes(preferred) + " and 4 GiB"
                                  : "at " + linux_boot::to_text({preferred, preferred + size});
    return std::unexpected("kernel \"" + kernel_path_.string() + "\" does not fit: it needs " +
                           mebibytes(size) + " of RAM " + where + "; RAM is at " + to_text(ram_));
}

Outcome LinuxBoot::place_initrd() {
    if (initrd_.empty()) return {};
    const std::uint64_t limit = kernel_.initrd_limit() + 1;
    const auto place = highest_place(ram_, initrd_.size(), page, limit,
                                     {kernel_address_, kernel_address_ + kernel_.memory_needed()});
    if (!place) {
        return std::unexpected("initrd \"" + initrd_path_.string() + "\" does not fit: it needs " +
                               mebibytes(initrd_.size()) + " of RAM beside the kernel's " +
                               mebibytes(kernel_.memory_needed()) + ", above 1 MiB and below " +
                               mebibytes(limit) + "; RAM is at " + to_text(ram_));
    }
    initrd_address_ = *place;
    return {};
}

std::vector<std::byte> LinuxBoot::zero_page() const {
    using namespace boot_params;
    std::vector<std::byte> content(size);
    const std::span bytes{content};
    const auto header = kernel_.setup_header();
    std::memcpy(content.data() + setup_header, header.data(), header.size());

    store(bytes, video_mode, normal_video_mode);
    store(bytes, type_of_loader, unknown_loader);
    store(bytes, code32_start, static_cast<std::uint32_t>(kernel_address_));
    store(bytes, ramdisk_image, static_cast<std::uint32_t>(initrd_address_));
    store(bytes, ramdisk_size, static_cast<std::uint32_t>(initrd_.size()));
    store(bytes, command_line_pointer, static_cast<std::uint32_t>(command_line_address));
    store(bytes, acpi_rsdp_address, acpi_root_);

    auto map = e820_map(ram_, tables_.memory);
    if (map.size() > e820_capacity) map.resize(e820_capacity);
    store(bytes, e820_entries, static_cast<std::uint8_t>(map.size()));
    std::size_t offset = e820_table;
    for (const E820Entry& entry : map) {
        store(bytes, offset, entry.range.start);
        store(bytes, offset + 8, entry.range.size());
        store(bytes, offset + 16, static_cast<std::uint32_t>(entry.kind));
        offset += 20;
        if (entry.range.start == 0x100000) {
            const std::uint64_t kibibytes = std::min<std::uint64_t>(entry.range.size() >> 10,
                                                                    0xffffffff);
            store(bytes, alt_mem_k, static_cast<std::uint32_t>(kibibytes));
        }
    }
    return content;
}

void LinuxBoot::reset(ResetKind) {
    if (kernel_path_.empty()) return;
    write_pci_settings(pci_settings_, io_);
    write_port_settings(port_settings_, io_);
    auto outcome = take_tables();
    if (outcome) {
        write_everything();
        outcome = CpuRegisters{cpus_.front()}.set(entry_);
    }
    if (!outcome) {
        log(LogLevel::Error, outcome.error());
        request_power_off(1, "cannot start the kernel: " + outcome.error());
    }
}

void LinuxBoot::write_everything() const {
    is_linux_ ? write_linux() : write_other();
    if (has_own_tables())
        write(firmware_tables.start,
              acpi_tables(firmware_tables.start, static_cast<unsigned>(cpus_.size())).bytes);
    else if (!tables_.tables.empty())
        write_tables();
}

// With them, what the BIOS would say of the memory that they take: kernels that are not told where
// the root pointer is look in the extended BIOS data area.
void LinuxBoot::write_tables() const {
    constexpr std::uint64_t extended_segment = 0x40e, base_memory = 0x413;  // in the BIOS data area
    memory_.write(extended_segment, static_cast<std::uint16_t>(extended_bios_data.start >> 4));
    memory_.write(base_memory, static_cast<std::uint16_t>(extended_bios_data.start >> 10));
    memory_.write(extended_bios_data.start,
                  static_cast<std::uint8_t>(extended_bios_data.size() >> 10));
    for (const LoadedTable& table : tables_.tables)
        write(table.address, table.content);
    log(LogLevel::Debug, "ACPI root pointer at ", Hex{acpi_root_}, ", tables at ",
        to_text(tables_.memory));
}

void LinuxBoot::write_linux() const {
    write(kernel_address_, kernel_.payload());
    // What lies behind the payload up to memory_needed() is cleared by the kernel itself.
    write(initrd_address_, initrd_);
    write(zero_page_address, zero_page());
    write(command_line_address,
          std::as_bytes(std::span{command_line_.c_str(), command_line_.size() + 1}));
    if (entry_mode_ == EntryMode::Bits64)
        write(page_tables_address, identity_map(page_tables_address));
    write(descriptors_address, boot_descriptors(entry_mode_));
    log(LogLevel::Debug, "kernel at ", Hex{kernel_address_}, ", initrd at ", Hex{initrd_address_},
        " (", initrd_.size(), " bytes), RAM at ", to_text(ram_));
}

void LinuxBoot::write_other() const {
    static constexpr std::array<std::byte, page> zeros{};
    for (const Piece& piece : plan_.pieces) {
        write(piece.address, piece.content);
        for (std::uint64_t at = piece.content.size(); at < piece.size; at += zeros.size())
            write(piece.address + at,
                  std::span{zeros}.first(std::min<std::uint64_t>(zeros.size(), piece.size - at)));
        log(LogLevel::Debug, piece.size, " bytes at ", Hex{piece.address});
    }
}

void LinuxBoot::write(std::uint64_t address, std::span<const std::byte> bytes) const {
    if (!bytes.empty()) memory_.write(address, bytes);
}

}  // namespace backplane::linux_boot
