// The VGA BIOS on the card, from a file.
#pragma once

#include <backplane/sdk.h>

#include <filesystem>
#include <string>

namespace backplane::display {

class OptionRom {
public:
    // Reads the file into memory of the host's. An empty path is a card without a ROM. What is
    // wrong, or nothing.
    std::string load(const Device& device, const std::filesystem::path& path);

    [[nodiscard]] MemoryRegion region() const { return region_; }

private:
    MemoryRegion region_{.writable = false};
};

}  // namespace backplane::display
