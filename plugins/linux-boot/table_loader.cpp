#include "table_loader.h"

#include "little_endian.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <string_view>

namespace backplane::linux_boot {

namespace {

using Outcome = std::expected<void, std::string>;

constexpr std::string_view script_name = "etc/table-loader", root_signature = "RSD PTR ";
constexpr std::size_t old_root_size = 20, root_size = 36, root_revision = 15;
constexpr std::uint64_t page = 4096, four_gibibytes = std::uint64_t{1} << 32;
// Its first byte tells how large the area is.
constexpr Range root_area{extended_bios_data.start + 16, extended_bios_data.end};

constexpr std::size_t record_size = 128, name_size = 56, first_name = 4, second_name = 60;
enum Command : std::uint32_t { allocate = 1, add_pointer = 2, add_checksum = 3, write_pointer = 4 };
constexpr std::uint8_t zone_f_segment = 2;  // where kernels look for root pointers

struct File {
    const Connection<backplane_firmware_files>* provider;
    std::uint32_t index;
    std::string name;
    bool is_writable;
    std::optional<std::size_t> table;  // once it is allocated
};

std::string quoted(std::string_view name) { return '"' + std::string{name} + '"'; }

class Loader {
public:
    explicit Loader(const std::vector<Range>& ram) : ram_{ram} {}

    Outcome collect(const Connection<backplane_firmware_files>& provider);
    Outcome run();
    std::expected<LoadedTables, std::string> result() &&;

private:
    using Record = std::span<const std::byte>;

    static std::vector<std::byte> content(const File& file);
    File* find(std::string_view name);
    std::expected<File*, std::string> named(Record record, std::size_t offset);
    std::expected<LoadedTable*, std::string> allocated(Record record, std::size_t offset);
    std::optional<std::uint64_t> place(std::uint64_t size, std::uint32_t alignment, bool near);
    Outcome run(Record record);
    Outcome do_allocate(Record record);
    Outcome do_add_pointer(Record record);
    Outcome do_add_checksum(Record record);
    Outcome do_write_pointer(Record record);

    const std::vector<Range>& ram_;
    std::vector<File> files_;
    LoadedTables loaded_;
    std::uint64_t near_ = root_area.start, far_ = four_gibibytes;
};

Outcome Loader::collect(const Connection<backplane_firmware_files>& provider) {
    const std::uint32_t count = provider.call<&backplane_firmware_files::count>();
    for (std::uint32_t index = 0; index < count; ++index) {
        backplane_firmware_file file{};
        file.struct_size = sizeof file;
        provider.call<&backplane_firmware_files::describe>(index, &file);
        if (file.name == nullptr || std::strlen(file.name) >= name_size)
            return std::unexpected("file " + std::to_string(index) +
                                   " has no name of at most 55 bytes");
        if (find(file.name) != nullptr)
            return std::unexpected("there are two files called " + quoted(file.name));
        files_.push_back({&provider, index, file.name, file.writable != 0, {}});
    }
    return {};
}

// As it is when firmware opens the file.
std::vector<std::byte> Loader::content(const File& file) {
    const auto& functions = *file.provider;
    if (functions.has<&backplane_firmware_files::opened>())
        functions.call<&backplane_firmware_files::opened>(file.index);
    backplane_firmware_file described{};
    described.struct_size = sizeof described;
    functions.call<&backplane_firmware_files::describe>(file.index, &described);
    const auto* bytes = reinterpret_cast<const std::byte*>(described.data);
    return bytes == nullptr ? std::vector<std::byte>{}
                            : std::vector<std::byte>{bytes, bytes + described.size};
}

File* Loader::find(std::string_view name) {
    const auto file = std::ranges::find(files_, name, &File::name);
    return file == files_.end() ? nullptr : &*file;
}

Outcome Loader::run() {
    const File* script = find(script_name);
    if (script == nullptr)
        return std::unexpected("nobody offers the script " + quoted(script_name));
    const auto records = content(*script);
    if (records.size() % record_size != 0)
        return std::unexpected("the script " + quoted(script_name) + " has " +
                               std::to_string(records.size()) + " bytes, not records of 128");
    for (std::size_t at = 0; at < records.size(); at += record_size) {
        if (auto done = run(std::span{records}.subspan(at, record_size)); !done)
            return std::unexpected("record " + std::to_string(at / record_size) + " of " +
                                   quoted(script_name) + ' ' + done.error());
    }
    return {};
}

// Firmware passes over commands that it does not know; 0 fills the file up.
Outcome Loader::run(Record record) {
    switch (load<std::uint32_t>(record, 0)) {
    case allocate: return do_allocate(record);
    case add_pointer: return do_add_pointer(record);
    case add_checksum: return do_add_checksum(record);
    case write_pointer: return do_write_pointer(record);
    default: return {};
    }
}

std::expected<File*, std::string> Loader::named(Record record, std::size_t offset) {
    const auto* text = reinterpret_cast<const char*>(record.data() + offset);
    const std::string_view name{text, strnlen(text, name_size)};
    if (File* file = find(name)) return file;
    return std::unexpected("names the file " + quoted(name) + ", which nobody offers");
}

std::expected<LoadedTable*, std::string> Loader::allocated(Record record, std::size_t offset) {
    const auto file = named(record, offset);
    if (!file) return std::unexpected(file.error());
    if (!(*file)->table)
        return std::unexpected("needs " + quoted((*file)->name) + ", which has no place yet");
    return &loaded_.tables[*(*file)->table];
}

std::optional<std::uint64_t> Loader::place(std::uint64_t size, std::uint32_t alignment, bool near) {
    if (near) {
        const std::uint64_t at = (near_ + alignment - 1) & ~(std::uint64_t{alignment} - 1);
        if (at <= root_area.end && size <= root_area.end - at) {
            near_ = at + size;
            return at;
        }
    }
    const std::uint64_t pages = (size + page - 1) & ~(page - 1);
    const auto at = highest_place(ram_, pages, std::max<std::uint64_t>(alignment, page), far_, {});
    if (!at) return std::nullopt;
    far_ = *at;
    auto& memory = loaded_.memory;
    if (!memory.empty() && memory.front().start == *at + pages)
        memory.front().start = *at;
    else if (pages != 0)
        memory.insert(memory.begin(), {*at, *at + pages});
    return at;
}

Outcome Loader::do_allocate(Record record) {
    const auto file = named(record, first_name);
    if (!file) return std::unexpected(file.error());
    const std::string name = quoted((*file)->name);
    if ((*file)->table) return std::unexpected("gives " + name + " a second place");
    const auto alignment = std::max(load<std::uint32_t>(record, 60), 1u);
    if (!std::has_single_bit(alignment))
        return std::unexpected("wants " + name + " aligned to " + std::to_string(alignment) +
                               ", which is not a power of two");
    auto bytes = content(**file);
    const bool near = load<std::uint8_t>(record, 64) == zone_f_segment;
    const auto at = place(bytes.size(), alignment, near);
    if (!at)
        return std::unexpected("wants memory for " + name + ", but " +
                               std::to_string(bytes.size()) + " bytes do not fit below 4 GiB");
    (*file)->table = loaded_.tables.size();
    loaded_.tables.push_back({*at, std::move(bytes)});
    return {};
}

bool is_pointer_size(std::uint8_t size) { return size <= 8 && std::has_single_bit(size); }

bool lies_inside(std::size_t file, std::uint64_t offset, std::uint64_t size) {
    return offset <= file && size <= file - offset;
}

Outcome Loader::do_add_pointer(Record record) {
    const auto file = allocated(record, first_name), target = allocated(record, second_name);
    if (!file) return std::unexpected(file.error());
    if (!target) return std::unexpected(target.error());
    const auto offset = load<std::uint32_t>(record, 116);
    const auto size = load<std::uint8_t>(record, 120);
    auto& bytes = (*file)->content;
    if (!is_pointer_size(size) || !lies_inside(bytes.size(), offset, size))
        return std::unexpected("has a pointer of " + std::to_string(size) + " bytes at " +
                               std::to_string(offset) + " in a file of " +
                               std::to_string(bytes.size()));
    std::uint64_t value = 0;
    std::memcpy(&value, &bytes[offset], size);
    if (value >= (*target)->content.size())
        return std::unexpected("has a pointer to byte " + std::to_string(value) + " of a file of " +
                               std::to_string((*target)->content.size()));
    value += (*target)->address;
    if (size < sizeof value && value >> (8 * size) != 0)
        return std::unexpected("has a pointer of " + std::to_string(size) +
                               " bytes, too small for the address");
    std::memcpy(&bytes[offset], &value, size);
    return {};
}

Outcome Loader::do_add_checksum(Record record) {
    const auto file = allocated(record, first_name);
    if (!file) return std::unexpected(file.error());
    const auto offset = load<std::uint32_t>(record, 60), start = load<std::uint32_t>(record, 64),
               length = load<std::uint32_t>(record, 68);
    auto& bytes = (*file)->content;
    if (!lies_inside(bytes.size(), offset, 1) || !lies_inside(bytes.size(), start, length))
        return std::unexpected("has a checksum at " + std::to_string(offset) + " of " +
                               std::to_string(length) + " bytes from " + std::to_string(start) +
                               " in a file of " + std::to_string(bytes.size()));
    unsigned sum = 0;
    for (const std::byte byte : std::span{bytes}.subspan(start, length))
        sum += std::to_integer<unsigned>(byte);
    bytes[offset] = static_cast<std::byte>(std::to_integer<unsigned>(bytes[offset]) - sum);
    return {};
}

// The provider learns where its table went.
Outcome Loader::do_write_pointer(Record record) {
    const auto file = named(record, first_name);
    if (!file) return std::unexpected(file.error());
    const auto target = allocated(record, second_name);
    if (!target) return std::unexpected(target.error());
    const auto offset = load<std::uint32_t>(record, 116);
    const std::uint64_t address = (*target)->address + load<std::uint32_t>(record, 120);
    const auto size = load<std::uint8_t>(record, 124);
    const auto& provider = *(*file)->provider;
    if (!(*file)->is_writable || !provider.has<&backplane_firmware_files::write>())
        return std::unexpected("writes into " + quoted((*file)->name) + ", which is read-only");
    if (!is_pointer_size(size) || !lies_inside(content(**file).size(), offset, size))
        return std::unexpected("writes " + std::to_string(size) + " bytes at " +
                               std::to_string(offset) + " of " + quoted((*file)->name));
    std::uint8_t bytes[sizeof address];
    std::memcpy(bytes, &address, sizeof address);
    provider.call<&backplane_firmware_files::write>((*file)->index, std::uint64_t{offset},
                                                    static_cast<const std::uint8_t*>(bytes),
                                                    std::uint64_t{size});
    return {};
}

bool is_root(std::span<const std::byte> content) {
    if (content.size() < old_root_size ||
        std::memcmp(content.data(), root_signature.data(), root_signature.size()) != 0)
        return false;
    return load<std::uint8_t>(content, root_revision) < 2 || content.size() >= root_size;
}

std::expected<LoadedTables, std::string> Loader::result() && {
    const auto root = std::ranges::find_if(loaded_.tables, is_root, &LoadedTable::content);
    if (root == loaded_.tables.end())
        return std::unexpected("the script " + quoted(script_name) +
                               " places no ACPI root pointer");
    loaded_.root = static_cast<std::size_t>(root - loaded_.tables.begin());
    return std::move(loaded_);
}

}  // namespace

std::span<const std::byte> LoadedTables::root_pointer() const {
    const std::span content{tables[root].content};
    return content.first(load<std::uint8_t>(content, root_revision) < 2 ? old_root_size
                                                                        : root_size);
}

std::expected<LoadedTables, std::string>
load_tables(const std::vector<Connection<backplane_firmware_files>>& providers,
            const std::vector<Range>& ram) {
    Loader loader{ram};
    for (const auto& provider : providers) {
        if (auto collected = loader.collect(provider); !collected)
            return std::unexpected(collected.error());
    }
    if (auto done = loader.run(); !done) return std::unexpected(done.error());
    return std::move(loader).result();
}

}  // namespace backplane::linux_boot
