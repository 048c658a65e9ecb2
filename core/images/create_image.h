// Makes new image files.
#pragma once

#include "images/format.h"
#include "images/host_file.h"

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>

namespace backplane::images {

struct CreateOptions {
    Format format = Format::Raw;
    // 0 with a backing file: as large as that.
    std::uint64_t size = 0;
    Existing existing = Existing::IsAnError;
    // qcow2
    std::uint32_t version = 3;
    std::uint64_t cluster_size = 0;  // 0: what is usual
    std::uint32_t refcount_bits = 16;
    bool has_lazy_refcounts = false;
    std::string compression = "zlib";
    // VHD
    bool is_fixed = false;
    // What it is based on, as the image says it: relative to the image's own folder.
    std::string backing = {};
    Format backing_format = Format::Auto;
};

// Nothing is left behind when it fails.
std::expected<void, std::string> create_image(const std::filesystem::path& path,
                                              const CreateOptions& options);

}  // namespace backplane::images
