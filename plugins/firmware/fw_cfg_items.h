// What firmware can select in fw_cfg: items by number, and files by name, which the directory
// translates into numbers. (QEMU, docs/specs/fw_cfg.rst)
#pragma once

#include <backplane/connection.h>
#include <backplane/device.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace backplane::firmware {

class FwCfgItem {
public:
    explicit FwCfgItem(std::vector<std::byte> content) : content_{std::move(content)} {}
    FwCfgItem(const Connection<backplane_firmware_files>& provider, std::uint32_t index)
        : provider_{provider}, index_{index} {}

    // The provider may make the contents now.
    void open() const;
    std::span<const std::byte> content() const;
    bool is_writable() const;
    // Within the size of the contents.
    void write(std::uint64_t offset, std::span<const std::byte> bytes) const;

private:
    backplane_firmware_file describe() const;

    std::vector<std::byte> content_;  // without a provider
    Connection<backplane_firmware_files> provider_;
    std::uint32_t index_ = 0;
};

class FwCfgItems {
public:
    static constexpr std::uint16_t directory = 0x19, first_file = 0x20;

    void add(std::uint16_t key, std::vector<std::byte> content);
    Outcome add_file(const std::string& name, std::vector<std::byte> content);
    Outcome add_files(const Connection<backplane_firmware_files>& provider);
    // Gives the files their numbers in the order of their names, as QEMU does, and lists them.
    Outcome make_directory();

    // Null when there is no such item.
    const FwCfgItem* find(std::uint16_t key) const;

private:
    Outcome add_file(const std::string& name, FwCfgItem item);

    std::map<std::uint16_t, FwCfgItem> items_;
    std::map<std::string, FwCfgItem> files_;
};

}  // namespace backplane::firmware
