#include "boot_protocol.h"

#include "boot_params.h"
#include "elf_image.h"
#include "little_endian.h"
#include "multiboot.h"
#include "pvh.h"

namespace backplane::linux_boot {

bool is_linux_image(std::span<const std::byte> file) {
    using namespace boot_params;
    if (file.size() >= signature + 4 && load<std::uint32_t>(file, signature) == signature_value)
        return true;
    const auto header = find_multiboot_header(file);
    return header && !*header && !ElfImage::is_elf(file);
}

PlannedBoot plan_boot(std::span<const std::byte> file, const BootRequest& request) {
    const auto header = find_multiboot_header(file);
    if (!header) return std::unexpected(header.error());
    if (header->has_value()) return plan_multiboot(file, **header, request);
    const auto image = ElfImage::parse(file);
    if (!image) return std::unexpected(image.error());
    const auto entry = pvh_entry(*image);
    if (!entry) {
        return std::unexpected(std::string{
            "is an ELF file, not a bzImage, and has neither a Multiboot header nor a PVH entry; of "
            "Linux, give the vmlinuz that was made of it"});
    }
    return plan_pvh(*image, *entry, request);
}

}  // namespace backplane::linux_boot
