// Packs a few bytes of 64-bit code as the smallest kernel that boot.linux starts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <span>
#include <string>
#include <vector>

namespace backplane::test {

// Linux, Documentation/arch/x86/boot.rst: one setup sector, then the payload with its 64-bit entry
// at 0x200, which is 0x1000200. The code may write to the zeros behind it, up to `memory` bytes in
// all.
inline std::vector<std::uint8_t> flat_kernel(std::span<const std::uint8_t> code,
                                             std::uint32_t memory = 0x1000) {
    constexpr std::size_t payload = 1024, entry = payload + 0x200;
    std::vector<std::uint8_t> file(payload + memory);
    const auto put = [&](std::size_t offset, auto value) {
        std::memcpy(&file[offset], &value, sizeof value);
    };
    put(0x1f1, std::uint8_t{1});             // setup_sects
    put(0x1f4, std::uint32_t{memory / 16});  // syssize
    put(0x1fe, std::uint16_t{0xaa55});       // boot_flag
    put(0x200, std::uint16_t{0x66eb});       // jump, to the end of the header
    std::memcpy(&file[0x202], "HdrS", 4);
    put(0x206, std::uint16_t{0x020c});      // version
    put(0x211, std::uint8_t{1});            // loadflags: LOADED_HIGH
    put(0x22c, std::uint32_t{0x7fffffff});  // initrd_addr_max
    put(0x230, std::uint32_t{0x200000});    // kernel_alignment
    put(0x236, std::uint16_t{1});           // xloadflags: XLF_KERNEL_64
    put(0x238, std::uint32_t{255});         // cmdline_size
    put(0x258, std::uint64_t{0x1000000});   // pref_address
    put(0x260, std::uint32_t{memory});      // init_size
    std::memcpy(&file[entry], code.data(), code.size());
    return file;
}

// Returns the path.
inline std::string write_flat_kernel(const std::string& path, std::span<const std::uint8_t> code,
                                     std::uint32_t memory = 0x1000) {
    const auto kernel = flat_kernel(code, memory);
    std::ofstream{path, std::ios::binary}.write(reinterpret_cast<const char*>(kernel.data()),
                                                static_cast<std::streamsize>(kernel.size()));
    return path;
}

}  // namespace backplane::test
