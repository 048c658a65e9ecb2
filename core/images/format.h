// Which format an image file has.
#pragma once

#include "images/byte_file.h"

#include <array>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace backplane::images {

// Auto is decided when a file is opened.
enum class Format : std::uint8_t { Auto, Raw, Qcow2, Vhd, Vmdk, Vdi };
inline constexpr std::array format_names{"auto", "raw", "qcow2", "vhd", "vmdk", "vdi"};

const char* name_of(Format format);
// Auto when there is no such format. QEMU's "vpc" is a VHD.
Format format_named(std::string_view name);

// What a file is called: raw, if nothing else.
Format format_by_name(const std::filesystem::path& path);

// What the first bytes look like. Whoever writes a raw disk writes its first bytes too: this alone
// must never decide how a disk is opened.
struct FirstBytes {
    Format format = Format::Raw;
    const char* looks_like = nullptr;  // null: nothing known
};
std::expected<FirstBytes, std::string> look_at(ByteFile& file);

// The format that a file's name and its first bytes agree on. A guest chooses the bytes of a raw
// disk, but not the name: "disk.img" is raw unless it looks like something else, and then somebody
// must say what it is; "disk.qcow2" must be one.
std::expected<Format, std::string> agreed_format(const std::filesystem::path& path, ByteFile& file);

}  // namespace backplane::images
