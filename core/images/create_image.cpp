#include "images/create_image.h"

#include "images/open_image.h"
#include "images/qcow2/create.h"
#include "images/vhd/create.h"

#include <fmt/format.h>

#include <cstring>
#include <optional>

namespace backplane::images {

namespace {

namespace fs = std::filesystem;
using Done = std::expected<void, std::string>;

std::string quoted(const fs::path& path) { return "\"" + path.string() + "\""; }

// What a new image is based on, looked at before anything is made.
struct Parent {
    std::uint64_t size = 0;
    Format format = Format::Auto;
    std::optional<vhd::Footer> footer;
};

std::expected<Parent, std::string> look_at_parent(const fs::path& path,
                                                  const CreateOptions& options) {
    if (options.format != Format::Qcow2 && options.format != Format::Vhd)
        return std::unexpected(
            fmt::format("an image of format {} cannot be based on another; qcow2 "
                        "and vhd can",
                        name_of(options.format)));
    const fs::path parent_path = backing_path(path, options.backing);
    // Whoever makes the image has named it.
    const auto opened = open_image(
        parent_path, {.format = options.backing_format, .backing = BackingRule::NotOpened});
    if (!opened) return std::unexpected(opened.error());
    Parent parent{opened->storage->size(), opened->format, {}};
    if (options.format == Format::Vhd) {
        if (opened->format != Format::Vhd)
            return std::unexpected(fmt::format("a VHD can only be based on a VHD; {} is {}",
                                               quoted(parent_path), name_of(opened->format)));
        const auto footer = vhd::find_footer(*opened->file);
        if (!footer) return std::unexpected(quoted(parent_path) + " " + footer.error());
        parent.footer = *footer;
    }
    return parent;
}

Done fill_qcow2(ByteFile& file, const CreateOptions& options, const Parent& parent) {
    qcow2::CreateOptions wanted{.size = options.size,
                                .version = options.version,
                                .refcount_bits = options.refcount_bits,
                                .has_lazy_refcounts = options.has_lazy_refcounts};
    if (options.cluster_size != 0) wanted.cluster_size = options.cluster_size;
    if (options.compression == "zstd")
        wanted.compression = qcow2::Compression::Zstd;
    else if (options.compression != "zlib")
        return std::unexpected(
            fmt::format("compression \"{}\": zlib or zstd was expected", options.compression));
    wanted.backing = options.backing;
    // Other programs know a VHD by another name.
    wanted.backing_format = parent.format == Format::Vhd ? "vpc" : name_of(parent.format);
    return qcow2::create(file, wanted);
}

Done fill_vhd(ByteFile& file, const fs::path& path, const CreateOptions& options,
              const Parent& parent) {
    vhd::CreateOptions wanted{.size = options.size};
    if (options.is_fixed) wanted.type = vhd::DiskType::Fixed;
    if (parent.footer) {
        if (options.is_fixed) return std::unexpected("a fixed VHD cannot be based on another");
        wanted.type = vhd::DiskType::Differencing;
        wanted.parent = *parent.footer;
        wanted.parent_relative = options.backing;
        wanted.parent_absolute = fs::absolute(backing_path(path, options.backing)).string();
    }
    return vhd::create(file, wanted);
}

Done fill(HostFile& file, const fs::path& path, const CreateOptions& options,
          const Parent& parent) {
    switch (options.format) {
    case Format::Qcow2: return fill_qcow2(file, options, parent);
    case Format::Vhd: return fill_vhd(file, path, options, parent);
    case Format::Raw: break;
    default:
        return std::unexpected(
            fmt::format("images of format {} can only be read; raw, qcow2 and vhd "
                        "can be made",
                        name_of(options.format)));
    }
    if (file.is_device()) return {};
    if (const int error = file.resize(options.size); error != 0)
        return std::unexpected(std::strerror(error));
    return {};
}

}  // namespace

Done create_image(const fs::path& path, const CreateOptions& wanted) {
    CreateOptions options = wanted;
    if (options.size % 512 != 0) return std::unexpected("the size is not a multiple of 512");
    Parent parent;
    if (!options.backing.empty()) {
        auto looked_at = look_at_parent(path, options);
        if (!looked_at) return std::unexpected(looked_at.error());
        parent = std::move(*looked_at);
        if (options.size == 0) options.size = parent.size;
    }
    auto file = HostFile::create(path, options.existing);
    if (!file) return std::unexpected(file.error());
    const Done filled = fill(**file, path, options, parent);
    if (filled) return {};
    if (!(*file)->is_device()) {
        std::error_code ignored;
        fs::remove(path, ignored);
    }
    return std::unexpected(fmt::format("{} cannot be made: {}", quoted(path), filled.error()));
}

}  // namespace backplane::images
