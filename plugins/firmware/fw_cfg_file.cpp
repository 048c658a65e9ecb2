#include "fw_cfg_file.h"

#include "host_file.h"

#include <span>

namespace backplane::firmware {

namespace {

constexpr std::uint64_t largest_file = std::uint64_t{256} << 20;

constexpr backplane_firmware_files functions{
    sizeof(backplane_firmware_files), 0,       thunk<&FwCfgFile::count>,
    thunk<&FwCfgFile::describe>,      nullptr, nullptr};

}  // namespace

void FwCfgFile::declare(Declaration<FwCfgFile>& d) {
    d.type("firmware.fw-cfg-file", "A file for the firmware, from the host or written down here");
    d.property("name", &FwCfgFile::name_,
               "What firmware calls it, such as genroms/boot.rom or opt/com.example/setting")
        .required();
    d.property("file", &FwCfgFile::path_, "Host file with the contents");
    d.property("text", &FwCfgFile::text_, "The contents themselves, instead of a host file");
    d.provides("files", functions, "The file, for firmware.fw-cfg");
}

Outcome FwCfgFile::start() {
    if (path_.empty()) {
        const auto bytes = std::as_bytes(std::span{text_});
        content_.assign(bytes.begin(), bytes.end());
        return {};
    }
    if (!text_.empty())
        return std::unexpected{std::string{"give either \"file\" or \"text\", not both"}};
    auto content = read_file(path_, largest_file);
    if (!content) return std::unexpected("file \"" + path_.string() + "\" " + content.error());
    content_ = std::move(*content);
    return {};
}

void FwCfgFile::describe(std::uint32_t, backplane_firmware_file* file) {
    file->name = name_.c_str();
    file->data = reinterpret_cast<const std::uint8_t*>(content_.data());
    file->size = content_.size();
}

}  // namespace backplane::firmware
