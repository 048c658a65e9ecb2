// Puts a kernel into memory and the first CPU at its entry, as a boot loader would, at every reset:
// Linux by its own protocol, others by Multiboot or PVH.
#pragma once

#include "boot_plan.h"
#include "cpu_registers.h"
#include "kernel_entry.h"
#include "kernel_image.h"
#include "memory_map.h"

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

    // Everything that can be wrong with the files and with the machine is found here.
    Outcome start();
    void reset(ResetKind);

private:
    Outcome start_linux(std::vector<std::byte> file);
    Outcome read_kernel(std::vector<std::byte> file);
    Outcome start_other(std::span<const std::byte> file);
    Outcome check_acpi_memory() const;
    void reset_linux();
    void reset_other();
    Outcome check_low_memory() const;
    Outcome place_kernel();
    Outcome place_initrd();
    std::vector<std::byte> zero_page() const;
    void write(std::uint64_t address, std::span<const std::byte> bytes) const;

    std::filesystem::path kernel_path_, initrd_path_;
    std::string command_line_;
    bool acpi_ = true;
    AddressSpace memory_;
    std::vector<Connection<backplane_cpu>> cpus_;

    std::optional<BootPlan> plan_;  // of what is not Linux's bzImage
    KernelImage kernel_;
    std::vector<std::byte> initrd_;
    std::vector<Range> ram_;
    std::uint64_t kernel_address_ = 0, initrd_address_ = 0;
    EntryMode entry_mode_ = EntryMode::Bits64;
    std::vector<RegisterValue> entry_;
};

}  // namespace backplane::linux_boot
