// The zero page and the setup header inside it, by offset (Linux,
// Documentation/arch/x86/{boot,zero-page}.rst).
#pragma once

#include <cstddef>
#include <cstdint>

namespace backplane::linux_boot::boot_params {

inline constexpr std::size_t size = 4096;

inline constexpr std::size_t acpi_rsdp_address = 0x070;
inline constexpr std::size_t alt_mem_k = 0x1e0;
inline constexpr std::size_t e820_entries = 0x1e8;
inline constexpr std::size_t e820_table = 0x2d0;
inline constexpr std::size_t e820_capacity = 128;

// The setup header lies at the same offsets in a bzImage.
inline constexpr std::size_t setup_header = 0x1f1;
inline constexpr std::size_t setup_sectors = 0x1f1;
inline constexpr std::size_t payload_paragraphs = 0x1f4;
inline constexpr std::size_t video_mode = 0x1fa;
inline constexpr std::size_t boot_flag = 0x1fe;
inline constexpr std::size_t jump = 0x200;
inline constexpr std::size_t signature = 0x202;
inline constexpr std::size_t version = 0x206;
inline constexpr std::size_t type_of_loader = 0x210;
inline constexpr std::size_t load_flags = 0x211;
inline constexpr std::size_t code32_start = 0x214;
inline constexpr std::size_t ramdisk_image = 0x218;
inline constexpr std::size_t ramdisk_size = 0x21c;
inline constexpr std::size_t command_line_pointer = 0x228;
inline constexpr std::size_t initrd_address_max = 0x22c;
inline constexpr std::size_t kernel_alignment = 0x230;
inline constexpr std::size_t relocatable_kernel = 0x234;
inline constexpr std::size_t extended_load_flags = 0x236;
inline constexpr std::size_t command_line_size = 0x238;
inline constexpr std::size_t preferred_address = 0x258;
inline constexpr std::size_t initial_size = 0x260;
inline constexpr std::size_t setup_header_end = 0x264;  // of protocol 2.10

inline constexpr std::uint16_t boot_flag_value = 0xaa55;
inline constexpr std::uint32_t signature_value = 0x53726448;  // "HdrS"
// the first with all the fields above but extended_load_flags (Linux 2.6.31)
inline constexpr std::uint16_t oldest_version = 0x020a;
// the first that says whether there is a 64-bit entry (Linux 3.8)
inline constexpr std::uint16_t first_version_with_entry_64 = 0x020c;
inline constexpr std::uint8_t loaded_high = 1;  // load_flags: a bzImage, not a zImage
inline constexpr std::uint16_t kernel_64 = 1;   // extended_load_flags
inline constexpr std::uint8_t unknown_loader = 0xff;
inline constexpr std::uint16_t normal_video_mode = 0xffff;
// From the load address.
inline constexpr std::uint64_t entry_32 = 0, entry_64 = 0x200;

}  // namespace backplane::linux_boot::boot_params
