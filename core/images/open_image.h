// Opens an image file with all that it is based on.
#pragma once

#include "images/format.h"
#include "images/host_file.h"
#include "images/image_storage.h"
#include "images/qcow2/qcow2_image.h"
#include "images/vhd/dynamic_vhd.h"

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace backplane::images {

// Where the files may be that an image says it is based on. A stranger's image could name any file
// of the host, and the guest would read it.
enum class BackingRule : std::uint8_t {
    Beside,  // in the folder of the image that names them, or below it
    Anywhere,
    NotOpened,  // such parts read as zeroes: for what looks at one file alone
};

struct OpenOptions {
    Format format = Format::Auto;
    FileAccess access = FileAccess::ReadOnly;
    FileAccess backing_access = FileAccess::ReadOnly;  // of the file directly below
    Locking locking = Locking::Yes;
    Caching caching = Caching::Writeback;
    BackingRule backing = BackingRule::Beside;
    std::string internal_snapshot = {};  // of a qcow2 image, which is read-only then
};

// What an image says it is based on: where that may be, best first. None: on nothing.
struct Backing {
    std::vector<std::string> names;
    std::string format;                 // "" when it is not said
    std::optional<vhd::Uuid> identity;  // what it must be
};

struct OpenedImage {
    std::unique_ptr<ImageStorage> storage;
    Format format = Format::Raw;
    Backing backing;
    // The same object, where it is of that kind.
    MappedStorage* mapped = nullptr;
    qcow2::Qcow2Image* qcow2 = nullptr;
    std::uint64_t piece_size = 0;  // what is allocated at once; 0: any
    // The largest piece that may be compressed, here or in what it is based on; 0: none is.
    std::uint64_t packed_size = 0;
    std::vector<std::pair<std::string, std::string>> details;  // for `backplane image info`
    HostFile* file = nullptr;
};

// What is wrong, with the path of the file that is to blame.
std::expected<OpenedImage, std::string> open_image(const std::filesystem::path& path,
                                                   const OpenOptions& options);

// Where a name leads that stands in an image: from the image's own folder.
std::filesystem::path backing_path(const std::filesystem::path& image, const std::string& name);
bool is_beside(const std::filesystem::path& image, const std::filesystem::path& backing);

}  // namespace backplane::images
