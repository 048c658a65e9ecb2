// Puts a kernel into memory and the first CPU at its entry, as a boot loader would, at every reset:
// Linux by its own protocol, others by Multiboot or PVH.
#pragma once

#include "boot_plan.h"
#include "cpu_registers.h"
#include "kernel_entry.h"
#include "kernel_image.h"
#include "memory_map.h"
#include "pci_settings.h"
#include "port_settings.h"
#include "table_loader.h"

#include <backplane/declaration.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace backplane::linux_boot {

class LinuxBoot final : public Device {
public:
    static void declare(Declaration<LinuxBoot>& d);

    // Everything that can be wrong with the files and with the machine is found here; what can be
    // wrong with tables of others, when they have them at a reset.
    Outcome start();
    void reset(ResetKind);

private:
    bool has_own_tables() const { return acpi_ && providers_.empty(); }
    Outcome read_linux(std::vector<std::byte> file);
    Outcome read_other(std::vector<std::byte> file);
    Outcome plan();
    Outcome plan_linux();
    Outcome plan_other();
    Outcome take_tables();
    Outcome check_acpi_memory() const;
    Outcome check_low_memory() const;
    void write_everything() const;
    void write_linux() const;
    void write_other() const;
    void write_tables() const;
    Outcome place_kernel();
    Outcome place_initrd();
    std::vector<std::byte> zero_page() const;
    void write(std::uint64_t address, std::span<const std::byte> bytes) const;

    std::filesystem::path kernel_path_, initrd_path_;
    std::string command_line_;
    std::string pci_settings_text_, port_settings_text_;
    bool acpi_ = true, required_ = true;
    AddressSpace memory_, io_;
    std::vector<Connection<backplane_cpu>> cpus_;
    std::vector<Connection<backplane_firmware_files>> providers_;

    std::vector<PciSetting> pci_settings_;
    std::vector<PortSetting> port_settings_;
    bool is_linux_ = false;
    KernelImage kernel_;
    std::vector<std::byte> initrd_;
    std::vector<std::byte> other_;      // the file that is not Linux's bzImage
    BootRequest request_;               // for it
    BootPlan plan_;                     // of it
    std::vector<Range> all_ram_, ram_;  // ram_ is without the tables of others
    LoadedTables tables_;
    std::uint64_t acpi_root_ = 0;
    std::uint64_t kernel_address_ = 0, initrd_address_ = 0;
    EntryMode entry_mode_ = EntryMode::Bits64;
    std::vector<RegisterValue> entry_;
};

}  // namespace backplane::linux_boot
