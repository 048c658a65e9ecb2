#include "fw_cfg_items.h"

#include "byte_table.h"

#include <bit>

namespace backplane::firmware {

namespace {

constexpr std::size_t name_size = 56;  // with a final NUL
constexpr std::uint16_t last_file = 0x3fff;
constexpr std::uint64_t largest_file = 0xffffffff;

}  // namespace

void FwCfgItem::open() const {
    if (provider_.has<&backplane_firmware_files::opened>())
        provider_.call<&backplane_firmware_files::opened>(index_);
}

backplane_firmware_file FwCfgItem::describe() const {
    backplane_firmware_file file{};
    file.struct_size = sizeof file;
    provider_.call<&backplane_firmware_files::describe>(index_, &file);
    return file;
}

std::span<const std::byte> FwCfgItem::content() const {
    if (!provider_) return content_;
    const backplane_firmware_file file = describe();
    if (file.data == nullptr) return {};
    return std::as_bytes(std::span{file.data, static_cast<std::size_t>(file.size)});
}

bool FwCfgItem::is_writable() const {
    return provider_ && describe().writable != 0 &&
           provider_.has<&backplane_firmware_files::write>();
}

void FwCfgItem::write(std::uint64_t offset, std::span<const std::byte> bytes) const {
    provider_.call<&backplane_firmware_files::write>(
        index_, offset, reinterpret_cast<const std::uint8_t*>(bytes.data()),
        std::uint64_t{bytes.size()});
}

void FwCfgItems::add(std::uint16_t key, std::vector<std::byte> content) {
    items_.insert_or_assign(key, FwCfgItem{std::move(content)});
}

Outcome FwCfgItems::add_file(const std::string& name, FwCfgItem item) {
    if (name.empty() || name.size() >= name_size) {
        return std::unexpected("firmware file \"" + name + "\" has a name of " +
                               std::to_string(name.size()) + " bytes; 1 to " +
                               std::to_string(name_size - 1) + " are possible");
    }
    if (item.content().size() > largest_file)
        return std::unexpected("firmware file \"" + name + "\" has 4 GiB or more");
    if (!files_.emplace(name, std::move(item)).second)
        return std::unexpected("two firmware files are called \"" + name + "\"");
    return {};
}

Outcome FwCfgItems::add_file(const std::string& name, std::vector<std::byte> content) {
    return add_file(name, FwCfgItem{std::move(content)});
}

Outcome FwCfgItems::add_files(const Connection<backplane_firmware_files>& provider) {
    const std::uint32_t count = provider.call<&backplane_firmware_files::count>();
    for (std::uint32_t index = 0; index < count; ++index) {
        backplane_firmware_file file{};
        file.struct_size = sizeof file;
        provider.call<&backplane_firmware_files::describe>(index, &file);
        const std::string name = file.name == nullptr ? "" : file.name;
        if (auto added = add_file(name, FwCfgItem{provider, index}); !added) return added;
    }
    return {};
}

Outcome FwCfgItems::make_directory() {
    constexpr std::size_t most = last_file - first_file + 1;
    if (files_.size() > most) {
        return std::unexpected("there are " + std::to_string(files_.size()) +
                               " firmware files, but only " + std::to_string(most) +
                               " have a number");
    }
    Table table;
    append(table, std::byteswap(static_cast<std::uint32_t>(files_.size())));
    std::uint16_t key = first_file;
    for (const auto& [name, item] : files_) {
        append(table, std::byteswap(static_cast<std::uint32_t>(item.content().size())));
        append(table, std::byteswap(key));
        append(table, std::uint16_t{0});
        append_text(table, name);
        table.resize(table.size() + name_size - name.size());
        items_.insert_or_assign(key++, item);
    }
    add(directory, std::move(table));
    return {};
}

const FwCfgItem* FwCfgItems::find(std::uint16_t key) const {
    const auto found = items_.find(key);
    return found == items_.end() ? nullptr : &found->second;
}

}  // namespace backplane::firmware
