#include "images/format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>

namespace backplane::images {

namespace {

struct Magic {
    std::size_t offset;
    std::string_view bytes;
    Format format;  // Raw: one that cannot be opened
    const char* looks_like;
};

using namespace std::literals;

constexpr std::array magics{
    Magic{0, "QFI\xfb"sv, Format::Qcow2, "a qcow2 image"},
    Magic{0, "conectix"sv, Format::Vhd, "a VHD image"},
    Magic{0, "KDMV"sv, Format::Vmdk, "a VMDK image"},
    Magic{0, "# Disk DescriptorFile"sv, Format::Vmdk, "the description of a VMDK image"},
    Magic{64, "\x7f\x10\xda\xbe"sv, Format::Vdi, "a VDI image"},
    Magic{0, "vhdxfile"sv, Format::Raw, "a VHDX image, which is not supported"},
    Magic{0, "QED\0"sv, Format::Raw, "a QED image, which is not supported"},
    Magic{0, "COWD"sv, Format::Raw, "an ESX 3 VMDK image, which is not supported"},
    Magic{0, "WithoutFreeSpace"sv, Format::Raw, "a Parallels image, which is not supported"},
    Magic{0, "WithouFreSpacExt"sv, Format::Raw, "a Parallels image, which is not supported"},
};

struct Extension {
    std::string_view text;
    Format format;
};

constexpr std::array extensions{Extension{".qcow2", Format::Qcow2}, Extension{".vhd", Format::Vhd},
                                Extension{".vpc", Format::Vhd}, Extension{".vmdk", Format::Vmdk},
                                Extension{".vdi", Format::Vdi}};

}  // namespace

Format format_by_name(const std::filesystem::path& path) {
    std::string extension = path.extension().string();
    std::ranges::transform(extension, extension.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto* found = std::ranges::find(extensions, extension, &Extension::text);
    return found == extensions.end() ? Format::Raw : found->format;
}

const char* name_of(Format format) { return format_names[static_cast<std::size_t>(format)]; }

Format format_named(std::string_view name) {
    if (name == "vpc") return Format::Vhd;
    const auto found = std::ranges::find(format_names, name);
    return found == format_names.end()
               ? Format::Auto
               : Format{static_cast<std::uint8_t>(found - format_names.begin())};
}

std::expected<FirstBytes, std::string> look_at(ByteFile& file) {
    std::array<std::byte, 512> bytes{};
    if (const int error = file.read_bytes(0, bytes); error != 0)
        return std::unexpected(fmt::format("cannot be read: {}", std::strerror(error)));
    for (const Magic& magic : magics)
        if (std::memcmp(bytes.data() + magic.offset, magic.bytes.data(), magic.bytes.size()) == 0)
            return FirstBytes{magic.format, magic.looks_like};
    return FirstBytes{};
}

std::expected<Format, std::string> agreed_format(const std::filesystem::path& path,
                                                 ByteFile& file) {
    const Format by_name = format_by_name(path);
    const auto first = look_at(file);
    if (!first) return std::unexpected(first.error());
    if (by_name == Format::Raw) {
        if (first->looks_like == nullptr) return Format::Raw;
        return std::unexpected(fmt::format(
            "looks like {}, but is not called so; say `format: {}` if it is one, `format: raw` if "
            "it "
            "is a disk whose guest wrote that",
            first->looks_like, first->format == Format::Raw ? "..." : name_of(first->format)));
    }
    // A fixed VHD has its magic at the end alone.
    if (first->format == by_name || (by_name == Format::Vhd && first->looks_like == nullptr))
        return by_name;
    return std::unexpected(fmt::format(
        "is called {}, but looks like {}; say `format:` and what it is", path.extension().string(),
        first->looks_like != nullptr ? first->looks_like : "a raw disk"));
}

}  // namespace backplane::images
