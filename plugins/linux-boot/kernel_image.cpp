#include "kernel_image.h"

#include "boot_params.h"
#include "little_endian.h"

#include <algorithm>
#include <cstring>
#include <sstream>

namespace backplane::linux_boot {

namespace {

std::string version_text(std::uint16_t version) {
    std::ostringstream text;
    text << (version >> 8) << '.' << (version < 0x020a ? "0" : "") << (version & 0xff);
    return text.str();
}

bool starts_with(std::span<const std::byte> file, const char* magic) {
    const std::size_t length = std::strlen(magic);
    return file.size() >= length && std::memcmp(file.data(), magic, length) == 0;
}

}  // namespace

std::expected<KernelImage, std::string> KernelImage::parse(std::vector<std::byte> file) {
    using namespace boot_params;
    if (starts_with(file, "\x7f"
                          "ELF"))
        return std::unexpected(
            "is an ELF file, not a bzImage; give the vmlinuz that was made of it");
    if (starts_with(file, "\x1f\x8b"))
        return std::unexpected("is gzip-compressed, not a bzImage; unpack it first");
    if (file.size() < setup_header_end) {
        return std::unexpected("is not a bzImage: " + std::to_string(file.size()) +
                               " bytes hold no setup header");
    }
    if (load<std::uint16_t>(file, boot_flag) != boot_flag_value ||
        load<std::uint32_t>(file, signature) != signature_value) {
        return std::unexpected(
            "is not a bzImage: the signature \"HdrS\" is missing at offset 0x202");
    }
    const auto version = load<std::uint16_t>(file, boot_params::version);
    if (version < oldest_version) {
        return std::unexpected("is too old: it has boot protocol " + version_text(version) +
                               ", but at least " + version_text(oldest_version) +
                               " is needed (Linux 2.6.31)");
    }
    if (!(load<std::uint8_t>(file, load_flags) & loaded_high)) {
        return std::unexpected(
            "is a zImage, which loads below 1 MiB; only a bzImage can be started");
    }

    KernelImage image{std::move(file)};
    const std::size_t stated = image.payload_offset() +
                               std::size_t{load<std::uint32_t>(image.file_, payload_paragraphs)} *
                                   16;
    if (image.file_.size() < stated || image.payload().size() <= entry_64) {
        return std::unexpected(
            "is truncated: " + std::to_string(image.file_.size()) +
            " bytes, but its header tells of " +
            std::to_string(std::max(stated, image.payload_offset() + entry_64 + 1)));
    }
    const std::uint64_t alignment = image.alignment();
    if (image.is_relocatable() && (alignment == 0 || (alignment & (alignment - 1)) != 0)) {
        return std::unexpected("is damaged: its alignment of " + std::to_string(alignment) +
                               " is not a power of two");
    }
    return image;
}

std::size_t KernelImage::payload_offset() const {
    const auto sectors = load<std::uint8_t>(file_, boot_params::setup_sectors);
    return (std::size_t{sectors == 0 ? std::uint8_t{4} : sectors} + 1) *
           512;  // 0 means 4, for hysterical reasons (boot.rst)
}

std::span<const std::byte> KernelImage::setup_header() const {
    // It ends where the jump over it at 0x200 leads to.
    const std::size_t end = boot_params::signature +
                            load<std::uint8_t>(file_, boot_params::jump + 1);
    const std::size_t limit = std::min<std::size_t>(boot_params::e820_table, file_.size());
    return std::span{file_}.subspan(boot_params::setup_header,
                                    std::clamp(end, boot_params::setup_header_end, limit) -
                                        boot_params::setup_header);
}

std::span<const std::byte> KernelImage::payload() const {
    return std::span{file_}.subspan(std::min(payload_offset(), file_.size()));
}

bool KernelImage::has_entry_64() const {
    using namespace boot_params;
    return load<std::uint16_t>(file_, boot_params::version) >= first_version_with_entry_64 &&
           (load<std::uint16_t>(file_, extended_load_flags) & kernel_64);
}

bool KernelImage::is_relocatable() const {
    return load<std::uint8_t>(file_, boot_params::relocatable_kernel) != 0;
}
std::uint64_t KernelImage::preferred_address() const {
    return load<std::uint64_t>(file_, boot_params::preferred_address);
}
std::uint64_t KernelImage::alignment() const {
    return load<std::uint32_t>(file_, boot_params::kernel_alignment);
}
std::uint64_t KernelImage::initrd_limit() const {
    return load<std::uint32_t>(file_, boot_params::initrd_address_max);
}
std::uint64_t KernelImage::command_line_limit() const {
    return load<std::uint32_t>(file_, boot_params::command_line_size);
}

std::uint64_t KernelImage::memory_needed() const {
    return std::max<std::uint64_t>(load<std::uint32_t>(file_, boot_params::initial_size),
                                   payload().size());
}

}  // namespace backplane::linux_boot
