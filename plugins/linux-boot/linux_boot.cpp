#include "linux_boot.h"

#include "acpi_tables.h"
#include "boot_params.h"
#include "file_content.h"
#include "kernel_entry.h"
#include "little_endian.h"

#include <algorithm>
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

}  // namespace

void LinuxBoot::declare(Declaration<LinuxBoot>& d) {
    d.type("boot.linux", "Loads a Linux kernel and starts it without firmware, by the 64-bit boot "
                         "protocol, or by the "
                         "32-bit one if it is a 32-bit kernel");
    d.property("kernel", &LinuxBoot::kernel_path_,
               "A bzImage of boot protocol 2.10 (Linux 2.6.31) or later; needed to run");
    d.property("initrd", &LinuxBoot::initrd_path_, "Initial RAM disk; none when empty");
    d.property("command-line", &LinuxBoot::command_line_, "The kernel's parameters");
    d.property("acpi", &LinuxBoot::acpi_,
               "Give the kernel ACPI tables; needs local APICs at 0xfee00000, an I/O APIC at "
               "0xfec00000, chipset.acpi-pm at "
               "port 0x600 and RAM at 0xe0000");
    d.address_space("memory", &LinuxBoot::memory_,
                    "Where the kernel is loaded; its RAM is what the kernel is told about");
    d.connects_all("cpus", &LinuxBoot::cpus_,
                   "All processors, in the order of their APIC IDs; the first one boots");
}

Outcome LinuxBoot::start() {
    if (cpus_.empty())
        return std::unexpected("\"cpus\" names no CPU; give at least the one that boots");
    ram_ = find_ram(memory_);
    for (const auto step :
         {&LinuxBoot::read_files, &LinuxBoot::place_kernel, &LinuxBoot::place_initrd}) {
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
    return CpuRegisters{cpus_.front()}.check(entry_);
}

Outcome LinuxBoot::read_files() {
    const auto about = [](const char* what, const std::filesystem::path& path) {
        return [=](const std::string& why) {
            return std::string{what} + " \"" + path.string() + "\" " + why;
        };
    };
    // Not a required property, so that a machine file can be complete without a kernel.
    if (kernel_path_.empty())
        return std::unexpected(
            "there is no kernel to boot: give one with --kernel FILE, or as \"kernel\"");
    auto file = read_file(kernel_path_);
    if (!file) return std::unexpected(about("kernel", kernel_path_)(file.error()));
    auto kernel = KernelImage::parse(std::move(*file));
    if (!kernel) return std::unexpected(about("kernel", kernel_path_)(kernel.error()));
    kernel_ = std::move(*kernel);

    if (!initrd_path_.empty()) {
        auto initrd = read_file(initrd_path_);
        if (!initrd) return std::unexpected(about("initrd", initrd_path_)(initrd.error()));
        initrd_ = std::move(*initrd);
    }
    if (command_line_.size() > kernel_.command_line_limit()) {
        return std::unexpected("the command line has " + std::to_string(command_line_.size()) +
                               " bytes, but kernel \"" + kernel_path_.string() +
                               "\" takes at most " + std::to_string(kernel_.command_line_limit()));
    }
    return {};
}

Outcome LinuxBoot::check_low_memory() const {
    if (!contains(ram_, scratch)) {
        return std::unexpected("there must be RAM at " + linux_boot::to_text(scratch) +
                               " for the kernel's parameters; RAM is at " + to_text(ram_));
    }
    if (acpi_ && !contains(ram_, firmware_tables)) {
        return std::unexpected("there must be RAM at " + linux_boot::to_text(firmware_tables) +
                               " for the ACPI tables (or set acpi to false); RAM is at " +
                               to_text(ram_));
    }
    return {};
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
    if (acpi_) store(bytes, acpi_rsdp_address, firmware_tables.start);

    auto map = e820_map(ram_);
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
    write(kernel_address_, kernel_.payload());
    // What lies behind the payload up to memory_needed() is cleared by the kernel itself.
    write(initrd_address_, initrd_);
    write(zero_page_address, zero_page());
    write(command_line_address,
          std::as_bytes(std::span{command_line_.c_str(), command_line_.size() + 1}));
    if (entry_mode_ == EntryMode::Bits64)
        write(page_tables_address, identity_map(page_tables_address));
    write(descriptors_address, boot_descriptors(entry_mode_));
    if (acpi_)
        write(firmware_tables.start,
              acpi_tables(firmware_tables.start, static_cast<unsigned>(cpus_.size())).bytes);

    if (const auto outcome = CpuRegisters{cpus_.front()}.set(entry_); !outcome) {
        log(LogLevel::Error, outcome.error());
        request_power_off(1, "cannot start the kernel: " + outcome.error());
        return;
    }
    log(LogLevel::Debug, "kernel at ", Hex{kernel_address_}, ", initrd at ", Hex{initrd_address_},
        " (", initrd_.size(), " bytes), RAM at ", to_text(ram_));
}

void LinuxBoot::write(std::uint64_t address, std::span<const std::byte> bytes) const {
    if (!bytes.empty()) memory_.write(address, bytes);
}

}  // namespace backplane::linux_boot
