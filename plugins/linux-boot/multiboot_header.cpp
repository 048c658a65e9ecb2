#include "multiboot_header.h"

#include "little_endian.h"

#include <algorithm>
#include <array>

namespace backplane::linux_boot {

namespace {

constexpr std::uint32_t text_mode = 1;  // of a wished screen

namespace one {
constexpr std::uint32_t magic = 0x1badb002;
constexpr std::size_t search = 8192, alignment = 4, size = 12, size_with_addresses = 32,
                      size_with_screen = 48;
constexpr std::uint32_t page_align = 1 << 0, memory = 1 << 1, screen = 1 << 2, addresses = 1 << 16;
constexpr std::uint32_t required = 0xffff;  // a loader must understand these
}  // namespace one

namespace two {
constexpr std::uint32_t magic = 0xe85250d6, architecture_i386 = 0;
constexpr std::size_t search = 32768, alignment = 8, size = 16, tag_size = 8;
enum Tag : std::uint16_t {
    end = 0,
    information = 1,
    addresses = 2,
    entry = 3,
    console = 4,
    framebuffer = 5,
    module_alignment = 6,
    efi_boot_services = 7,
    efi_i386_entry = 8,
    efi_amd64_entry = 9,
    relocatable = 10
};
constexpr std::uint16_t is_optional = 1;
constexpr std::uint32_t needs_console = 1, text_console = 2;
// Command line, loader, modules, memory, map, screen, ELF sections, ACPI old and new, load address.
constexpr std::array<std::uint32_t, 10> offered{1, 2, 3, 4, 6, 8, 9, 14, 15, 21};
}  // namespace two

using Found = std::expected<std::optional<MultibootHeader>, std::string>;

MultibootAddresses addresses_at(std::span<const std::byte> file, std::size_t offset) {
    return {load<std::uint32_t>(file, offset), load<std::uint32_t>(file, offset + 4),
            load<std::uint32_t>(file, offset + 8), load<std::uint32_t>(file, offset + 12)};
}

Found read_one(std::span<const std::byte> file, std::size_t offset) {
    const auto flags = load<std::uint32_t>(file, offset + 4);
    const std::uint32_t known = one::page_align | one::memory | one::screen;
    MultibootHeader header;
    header.offset = offset;
    if ((flags & one::required & ~known) != 0)
        return std::unexpected(std::string{"asks for a newer Multiboot loader: unknown flags"});
    if ((flags & one::addresses) != 0) {
        if (file.size() - offset < one::size_with_addresses)
            return std::unexpected(std::string{"is truncated within its Multiboot header"});
        header.addresses = addresses_at(file, offset + 12);
        header.entry = load<std::uint32_t>(file, offset + 28);
    }
    if ((flags & one::screen) != 0) {
        if (file.size() - offset < one::size_with_screen)
            return std::unexpected(std::string{"is truncated within its Multiboot header"});
        if (load<std::uint32_t>(file, offset + 32) != text_mode) {
            return std::unexpected(
                std::string{"asks for a graphics mode, which only firmware can set"});
        }
        header.wants_screen = true;
    }
    return header;
}

// A tag whose whole content is there.
struct HeaderTag {
    std::uint16_t type, flags;
    std::size_t content, size;  // of the content

    bool must_be_understood() const { return (flags & two::is_optional) == 0; }
};

std::expected<void, std::string> read_tag(std::span<const std::byte> file, const HeaderTag& tag,
                                          MultibootHeader& header) {
    const auto word = [&](std::size_t index) {
        return load<std::uint32_t>(file, tag.content + index * 4);
    };
    const auto needs = [&](std::size_t words) { return tag.size >= words * 4; };
    const auto damaged = std::unexpected(std::string{"is damaged: a tag of its Multiboot2 header "
                                                     "is too short"});
    switch (tag.type) {
    case two::information:
        for (std::size_t index = 0; index < tag.size / 4; ++index) {
            if (tag.must_be_understood() &&
                std::ranges::find(two::offered, word(index)) == two::offered.end()) {
                return std::unexpected("asks for Multiboot2 information of type " +
                                       std::to_string(word(index)) + ", which there is not");
            }
        }
        return {};
    case two::addresses:
        if (!needs(4)) return damaged;
        header.addresses = addresses_at(file, tag.content);
        return {};
    case two::entry:
        if (!needs(1)) return damaged;
        header.entry = word(0);
        return {};
    case two::console:
        if (!needs(1)) return damaged;
        if ((word(0) & two::needs_console) != 0 && (word(0) & two::text_console) == 0)
            return std::unexpected(std::string{"needs a console other than the text screen"});
        header.wants_screen = (word(0) & two::text_console) != 0;
        return {};
    case two::framebuffer:
    case two::module_alignment:  // modules always begin at a page
    case two::efi_boot_services:
    case two::efi_i386_entry:
    case two::efi_amd64_entry:  // for those who come from EFI
        return {};
    case two::relocatable:
        if (!needs(3)) return damaged;
        header.relocation = MultibootRelocation{word(0), word(1), std::max(word(2), 1u)};
        return {};
    default:
        if (!tag.must_be_understood()) return {};
        return std::unexpected("asks for a newer Multiboot2 loader: tag " +
                               std::to_string(tag.type));
    }
}

Found read_two(std::span<const std::byte> file, std::size_t offset) {
    const auto length = load<std::uint32_t>(file, offset + 8);
    if (length < two::size || length > file.size() - offset)
        return std::unexpected(std::string{"is truncated within its Multiboot2 header"});
    if (load<std::uint32_t>(file, offset + 4) != two::architecture_i386)
        return std::unexpected(std::string{"is a Multiboot2 kernel for another kind of processor"});
    MultibootHeader header;
    header.version = MultibootVersion::Two;
    header.offset = offset;
    for (std::size_t at = two::size; at + two::tag_size <= length;) {
        const auto type = load<std::uint16_t>(file, offset + at);
        const auto size = load<std::uint32_t>(file, offset + at + 4);
        if (type == two::end) break;
        if (size < two::tag_size || size > length - at)
            return std::unexpected(std::string{"is damaged: a tag of its Multiboot2 header has "
                                               "an impossible size"});
        const HeaderTag tag{type, load<std::uint16_t>(file, offset + at + 2),
                            offset + at + two::tag_size, size - two::tag_size};
        if (auto read = read_tag(file, tag, header); !read) return std::unexpected(read.error());
        at += (std::size_t{size} + 7) & ~std::size_t{7};
    }
    return header;
}

}  // namespace

Found find_multiboot_header(std::span<const std::byte> file) {
    const auto is_zero = [&](std::size_t offset, std::size_t words) {
        std::uint32_t sum = 0;
        for (std::size_t word = 0; word < words; ++word)
            sum += load<std::uint32_t>(file, offset + word * 4);
        return sum == 0;
    };
    // A kernel may have both; the newer tells it more.
    for (std::size_t at = 0; at + two::size <= std::min(file.size(), two::search);
         at += two::alignment) {
        if (load<std::uint32_t>(file, at) == two::magic && is_zero(at, 4))
            return read_two(file, at);
    }
    for (std::size_t at = 0; at + one::size <= std::min(file.size(), one::search);
         at += one::alignment) {
        if (load<std::uint32_t>(file, at) == one::magic && is_zero(at, 3))
            return read_one(file, at);
    }
    return std::nullopt;
}

}  // namespace backplane::linux_boot
