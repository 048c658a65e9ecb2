// Read-only memory filled from a file: firmware and expansion ROMs.
#pragma once

#include <backplane/sdk.h>

#include <filesystem>

namespace backplane::chipset {

class Rom final : public Device {
public:
    static void declare(Declaration<Rom>& d);

    Outcome start();

private:
    enum class Align : std::uint8_t { Start, End };

    MemoryRegion contents();
    void load();

    std::filesystem::path image_;
    Bytes size_;
    Align align_ = Align::Start;
    MemoryRegion region_{.writable = false};
    bool loaded_ = false;
    std::string problem_;
};

}  // namespace backplane::chipset
