// A bzImage with a valid header and a recognisable body, to be spoilt by tests as they like.
#pragma once

#include "boot_params.h"
#include "little_endian.h"

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace backplane::linux_boot::testing {

inline constexpr std::uint64_t mebibyte = 1 << 20;

// Setup of 1 + 1 sectors, a payload of 64 KiB, prefers 16 MiB, needs 2 MiB there.
inline std::vector<std::byte> synthetic_kernel() {
    using namespace boot_params;
    constexpr std::size_t payload = 64 << 10;
    std::vector<std::byte> file(1024 + payload);
    const std::span bytes{file};
    store(bytes, setup_sectors, std::uint8_t{1});
    store(bytes, payload_paragraphs, static_cast<std::uint32_t>(payload / 16));
    store(bytes, boot_flag, boot_flag_value);
    store(bytes, jump, std::uint8_t{0xeb});
    store(bytes, jump + 1, static_cast<std::uint8_t>(setup_header_end - signature));
    store(bytes, signature, signature_value);
    store(bytes, version, std::uint16_t{0x020f});
    store(bytes, load_flags, loaded_high);
    store(bytes, initrd_address_max, std::uint32_t{0x7fffffff});
    store(bytes, kernel_alignment, static_cast<std::uint32_t>(2 * mebibyte));
    store(bytes, relocatable_kernel, std::uint8_t{1});
    store(bytes, extended_load_flags, kernel_64);
    store(bytes, command_line_size, std::uint32_t{2047});
    store(bytes, preferred_address, std::uint64_t{16 * mebibyte});
    store(bytes, initial_size, static_cast<std::uint32_t>(2 * mebibyte));
    for (std::size_t i = 1024; i < file.size(); ++i)
        file[i] = std::byte(static_cast<std::uint8_t>(i * 7 + i / 256));
    return file;
}

// Returns the path.
inline std::string write_file(const std::string& path, std::span<const std::byte> content) {
    std::ofstream{path, std::ios::binary}.write(reinterpret_cast<const char*>(content.data()),
                                                static_cast<std::streamsize>(content.size()));
    return path;
}

}  // namespace backplane::linux_boot::testing
