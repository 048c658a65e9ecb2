#include "option_rom.h"

#include <bit>
#include <cstring>
#include <fstream>

namespace backplane::display {

namespace {

// The longest that a BIOS could copy to where programs of real mode expect it.
constexpr std::uint64_t largest_rom = 0x20000, smallest_window = 0x800;

}  // namespace

std::string OptionRom::load(const Device& device, const std::filesystem::path& path) {
    if (path.empty()) return {};
    std::error_code error;
    const std::uint64_t bytes = std::filesystem::file_size(path, error);
    if (error) return "cannot read rom " + path.string() + ": " + error.message();
    if (bytes == 0 || bytes > largest_rom)
        return "rom " + path.string() + " has " + std::to_string(bytes) + " bytes; 1 to " +
               std::to_string(largest_rom) + " fit";
    const std::uint64_t size = std::bit_ceil(std::max(bytes, smallest_window));
    const backplane_host& host = device.host();
    auto* memory = static_cast<std::byte*>(host.allocate_memory(host.context, size));
    if (memory == nullptr) return "the host has no room for the rom";
    std::memset(memory, 0xff, size);
    std::ifstream file{path, std::ios::binary};
    if (!file.read(reinterpret_cast<char*>(memory), static_cast<std::streamsize>(bytes)))
        return "cannot read rom " + path.string();
    region_.memory = memory;
    region_.size = size;
    return {};
}

}  // namespace backplane::display
