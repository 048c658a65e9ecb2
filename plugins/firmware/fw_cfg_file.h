// One more file for the firmware, from the machine file or from the host: an option ROM, a splash
// screen, a setting.
#pragma once

#include <backplane/sdk.h>

#include <filesystem>
#include <string>
#include <vector>

namespace backplane::firmware {

class FwCfgFile final : public Device {
public:
    static void declare(Declaration<FwCfgFile>& d);

    Outcome start();

    // backplane_firmware_files
    std::uint32_t count() { return 1; }
    void describe(std::uint32_t index, backplane_firmware_file* file);

private:
    std::string name_, text_;
    std::filesystem::path path_;
    std::vector<std::byte> content_;
};

}  // namespace backplane::firmware
