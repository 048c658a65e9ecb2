#include "elf_image.h"

#include "little_endian.h"

#include <algorithm>
#include <cstring>

namespace backplane::linux_boot {

namespace {

constexpr std::size_t class_offset = 4, data_offset = 5, machine_offset = 18, entry_offset = 24;
constexpr std::uint8_t class_32 = 1, class_64 = 2, little_endian = 1;
constexpr std::uint16_t machine_386 = 3, machine_x86_64 = 62;
constexpr std::uint32_t loadable = 1, notes = 4;  // p_type
constexpr std::uint32_t no_bits = 8;              // sh_type
constexpr std::uint64_t allocated = 2;            // sh_flags

// What differs between the classes: where the fields are.
struct Layout {
    std::size_t file_header, program_headers, section_headers, counts;
    std::size_t program_header, offset, virtual_address, physical, file_size, memory_size;
    std::size_t section_header, section_flags, section_offset, section_size;
};
constexpr Layout layout_32{52, 28, 32, 42, 32, 4, 8, 12, 16, 20, 40, 8, 16, 20};
constexpr Layout layout_64{64, 32, 40, 54, 56, 8, 16, 24, 32, 40, 64, 8, 24, 32};

const Layout& layout(bool is_64) { return is_64 ? layout_64 : layout_32; }

bool contains(std::span<const std::byte> file, std::uint64_t offset, std::uint64_t size) {
    return offset <= file.size() && size <= file.size() - offset;
}

}  // namespace

bool ElfImage::is_elf(std::span<const std::byte> file) {
    return file.size() >= 4 && std::memcmp(file.data(),
                                           "\x7f"
                                           "ELF",
                                           4) == 0;
}

std::uint64_t ElfImage::word(std::size_t offset) const {
    return is_64_ ? load<std::uint64_t>(file_, offset) : load<std::uint32_t>(file_, offset);
}

std::expected<ElfImage, std::string> ElfImage::parse(std::span<const std::byte> file) {
    if (file.size() < layout_32.file_header)
        return std::unexpected(std::string{"is truncated: it has no whole ELF header"});
    ElfImage image{file};
    const auto file_class = load<std::uint8_t>(file, class_offset);
    const auto machine = load<std::uint16_t>(file, machine_offset);
    image.is_64_ = file_class == class_64;
    if (load<std::uint8_t>(file, data_offset) != little_endian ||
        !((file_class == class_32 && machine == machine_386) ||
          (file_class == class_64 && machine == machine_x86_64)))
        return std::unexpected(std::string{"is an ELF file for another kind of processor"});
    if (file.size() < layout(image.is_64_).file_header)
        return std::unexpected(std::string{"is truncated: it has no whole ELF header"});
    image.entry_ = image.word(entry_offset);
    if (auto done = image.read_segments(); !done) return std::unexpected(done.error());
    image.read_sections();
    return image;
}

std::expected<void, std::string> ElfImage::read_segments() {
    const Layout& at = layout(is_64_);
    const std::uint64_t table = word(at.program_headers);
    const std::size_t size = load<std::uint16_t>(file_, at.counts);
    const std::size_t count = load<std::uint16_t>(file_, at.counts + 2);
    if (count == 0) return std::unexpected(std::string{"has nothing to load: no program headers"});
    if (size < at.program_header || !contains(file_, table, std::uint64_t{size} * count))
        return std::unexpected(std::string{"is damaged: its program headers are not in the file"});
    for (std::size_t index = 0; index < count; ++index) {
        const std::size_t header = table + index * size;
        const auto type = load<std::uint32_t>(file_, header);
        if (type != loadable && type != notes) continue;
        const std::uint64_t offset = word(header + at.offset);
        const std::uint64_t file_size = word(header + at.file_size);
        if (!contains(file_, offset, file_size)) {
            return std::unexpected("is truncated: segment " + std::to_string(index) +
                                   " is not in the file");
        }
        const auto content = file_.subspan(offset, file_size);
        if (type == notes) {
            notes_.push_back(content);
            continue;
        }
        const Segment segment{.physical = word(header + at.physical),
                              .virtual_address = word(header + at.virtual_address),
                              .memory_size = word(header + at.memory_size),
                              .content = content};
        if (segment.memory_size == 0) continue;
        if (segment.memory_size < file_size ||
            segment.physical + segment.memory_size < segment.physical) {
            return std::unexpected("is damaged: segment " + std::to_string(index) +
                                   " has an impossible size");
        }
        segments_.push_back(segment);
    }
    if (segments_.empty()) return std::unexpected(std::string{"has nothing to load: no segments"});
    return {};
}

// Only debuggers inside a guest want them, so what is wrong with them is as if there were none.
void ElfImage::read_sections() {
    const Layout& at = layout(is_64_);
    const std::uint64_t table = word(at.section_headers);
    const std::size_t size = load<std::uint16_t>(file_, at.counts + 4);
    const std::size_t count = load<std::uint16_t>(file_, at.counts + 6);
    if (count == 0 || size < at.section_header ||
        !contains(file_, table, std::uint64_t{size} * count))
        return;
    section_headers_ = file_.subspan(table, size * count);
    section_header_size_ = static_cast<std::uint32_t>(size);
    section_names_ = load<std::uint16_t>(file_, at.counts + 8);
    for (std::size_t index = 0; index < count; ++index) {
        const std::size_t header = table + index * size;
        const std::uint64_t offset = word(header + at.section_offset);
        const std::uint64_t length = word(header + at.section_size);
        const bool has_content = load<std::uint32_t>(file_, header + 4) != no_bits &&
                                 contains(file_, offset, length);
        sections_.push_back(
            {.header = index * size,
             .content = has_content ? file_.subspan(offset, length) : std::span<const std::byte>{},
             .is_loaded = (word(header + at.section_flags) & allocated) != 0});
    }
}

Range ElfImage::extent() const {
    Range range{segments_.front().physical, segments_.front().physical};
    for (const Segment& segment : segments_) {
        range.start = std::min(range.start, segment.physical);
        range.end = std::max(range.end, segment.physical + segment.memory_size);
    }
    return range;
}

// The file has the linker's address, which may be that of a higher half.
std::uint64_t ElfImage::physical_entry() const {
    for (const Segment& segment : segments_) {
        const std::uint64_t in_segment = entry_ - segment.virtual_address;
        if (in_segment < segment.memory_size) return segment.physical + in_segment;
    }
    return entry_;
}

std::optional<std::span<const std::byte>> ElfImage::note(std::string_view owner,
                                                         std::uint32_t type) const {
    constexpr std::size_t header = 12;
    const auto aligned = [](std::uint64_t size) { return (size + 3) & ~std::uint64_t{3}; };
    for (std::span<const std::byte> rest : notes_) {
        while (rest.size() >= header) {
            const std::uint64_t name_size = load<std::uint32_t>(rest, 0);
            const std::uint64_t size = load<std::uint32_t>(rest, 4);
            const std::uint64_t content = header + aligned(name_size);
            if (!contains(rest, content, size)) break;
            // The name's size counts its final NUL.
            if (load<std::uint32_t>(rest, 8) == type && name_size == owner.size() + 1 &&
                std::memcmp(rest.data() + header, owner.data(), owner.size()) == 0)
                return rest.subspan(content, size);
            rest = rest.subspan(std::min<std::uint64_t>(content + aligned(size), rest.size()));
        }
    }
    return std::nullopt;
}

}  // namespace backplane::linux_boot
