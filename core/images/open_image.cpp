#include "images/open_image.h"

#include "images/raw_storage.h"
#include "images/vdi/vdi_image.h"
#include "images/vhd/fixed_vhd.h"
#include "images/vmdk/vmdk_image.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

namespace backplane::images {

namespace {

namespace fs = std::filesystem;
using Opened = std::expected<OpenedImage, std::string>;

constexpr std::size_t longest_chain = 64;

std::string quoted(const fs::path& path) { return "\"" + path.string() + "\""; }

// Opens one image after another, down to the one that is based on nothing.
class Chain {
public:
    explicit Chain(const OpenOptions& options) : options_{options} {}

    Opened open(const fs::path& path, Format format, FileAccess access);

private:
    Opened open_one(std::unique_ptr<HostFile> file, Format format);
    Opened open_raw(std::unique_ptr<HostFile> file);
    Opened open_qcow2(std::unique_ptr<HostFile> file);
    Opened open_vhd(std::unique_ptr<HostFile> file);
    Opened open_vmdk(std::unique_ptr<HostFile> file);
    Opened open_vdi(std::unique_ptr<HostFile> file);
    std::string open_backing(const fs::path& path, OpenedImage& image);
    std::expected<fs::path, std::string> find_backing(const fs::path& image,
                                                      const Backing& backing) const;

    const OpenOptions& options_;
    std::vector<FileIdentity> opened_;
};

Opened Chain::open(const fs::path& path, Format format, FileAccess access) {
    struct stat status{};
    if (stat(path.c_str(), &status) == 0) {
        const FileIdentity identity{status.st_dev, status.st_ino};
        if (std::ranges::find(opened_, identity) != opened_.end())
            return std::unexpected(quoted(path) +
                                   " is based on itself, directly or through others");
        opened_.push_back(identity);
    }
    if (opened_.size() > longest_chain)
        return std::unexpected(
            fmt::format("{} is not opened: more than {} images are based on each "
                        "other",
                        quoted(path), longest_chain));
    auto file = HostFile::open(path, access, options_.locking, options_.caching);
    if (!file) return std::unexpected(file.error());
    if (format == Format::Auto) {
        const auto agreed = agreed_format(path, **file);
        if (!agreed) return std::unexpected(quoted(path) + " " + agreed.error());
        format = *agreed;
    }
    HostFile* opened_file = file->get();
    auto image = open_one(std::move(*file), format);
    if (!image) return std::unexpected(quoted(path) + " " + image.error());
    image->format = format;
    image->file = opened_file;
    if (format == Format::Qcow2 || format == Format::Vmdk) image->packed_size = image->piece_size;
    if (image->backing.names.empty() || options_.backing == BackingRule::NotOpened) return image;
    if (std::string why = open_backing(path, *image); !why.empty()) return std::unexpected(why);
    return image;
}

Opened Chain::open_one(std::unique_ptr<HostFile> file, Format format) {
    const bool writes = !file->is_read_only();
    if (writes && (format == Format::Vmdk || format == Format::Vdi))
        return std::unexpected(fmt::format("is a {} image, which can only be read; read-only: true "
                                           "does that, snapshot: true keeps what is written "
                                           "elsewhere",
                                           name_of(format)));
    if (!options_.internal_snapshot.empty() && opened_.size() == 1 && format != Format::Qcow2)
        return std::unexpected("has no internal snapshots: it is not a qcow2 image");
    switch (format) {
    case Format::Qcow2: return open_qcow2(std::move(file));
    case Format::Vhd: return open_vhd(std::move(file));
    case Format::Vmdk: return open_vmdk(std::move(file));
    case Format::Vdi: return open_vdi(std::move(file));
    default: return open_raw(std::move(file));
    }
}

Opened Chain::open_raw(std::unique_ptr<HostFile> file) {
    OpenedImage image;
    image.storage = std::make_unique<RawStorage>(std::move(file));
    return image;
}

Opened Chain::open_qcow2(std::unique_ptr<HostFile> file) {
    const bool is_top = opened_.size() == 1;
    auto opened = qcow2::Qcow2Image::open(std::move(file),
                                          is_top ? options_.internal_snapshot : "");
    if (!opened) return std::unexpected(opened.error());
    OpenedImage image;
    const qcow2::Header& header = (*opened)->header();
    image.qcow2 = opened->get();
    image.mapped = opened->get();
    image.piece_size = header.cluster_size();
    if (!header.backing.empty()) image.backing = {{header.backing}, header.backing_format, {}};
    image.details = {
        {"version", std::to_string(header.version)},
        {"compression", header.compression == qcow2::Compression::Zlib ? "zlib" : "zstd"},
        {"refcount-bits", std::to_string(1u << header.refcount_order)},
        {"lazy-refcounts", header.is_lazy() ? "yes" : "no"},
        {"closed", (header.incompatible & qcow2::dirty) != 0 ? "no" : "yes"},
        {"damaged", (header.incompatible & qcow2::corrupt) != 0 ? "yes" : "no"}};
    image.storage = std::move(*opened);
    return image;
}

Opened Chain::open_vhd(std::unique_ptr<HostFile> file) {
    auto footer = vhd::find_footer(*file);
    if (!footer) return std::unexpected(footer.error());
    OpenedImage image;
    image.details = {{"creator", footer->creator}};
    if (footer->type == vhd::DiskType::Fixed) {
        if (footer->disk_size() > file->size())
            return std::unexpected("is cut off: its disk is larger than the file");
        image.details.emplace_back("kind", "fixed");
        image.storage = std::make_unique<vhd::FixedVhd>(std::move(file), std::move(*footer));
        return image;
    }
    auto opened = vhd::DynamicVhd::open(std::move(file), std::move(*footer));
    if (!opened) return std::unexpected(opened.error());
    const bool has_parent = (*opened)->is_differencing();
    image.details.emplace_back("kind", has_parent ? "differencing" : "dynamic");
    image.mapped = opened->get();
    image.piece_size = (*opened)->header().block_size;
    if (has_parent) {
        image.backing = {(*opened)->parents(), "vhd", (*opened)->header().parent_uuid};
        if (image.backing.names.empty())
            return std::unexpected("has a parent, but does not say which");
    }
    image.storage = std::move(*opened);
    return image;
}

Opened Chain::open_vmdk(std::unique_ptr<HostFile> file) {
    auto opened = vmdk::VmdkImage::open(std::move(file));
    if (!opened) return std::unexpected(opened.error());
    OpenedImage image;
    image.details = {{"kind", (*opened)->create_type()}};
    image.mapped = opened->get();
    image.piece_size = (*opened)->grain_size();
    if (!(*opened)->parent().empty()) image.backing = {{(*opened)->parent()}, "vmdk", {}};
    image.storage = std::move(*opened);
    return image;
}

Opened Chain::open_vdi(std::unique_ptr<HostFile> file) {
    auto opened = vdi::VdiImage::open(std::move(file));
    if (!opened) return std::unexpected(opened.error());
    OpenedImage image;
    const bool is_fixed = (*opened)->header().type == vdi::DiskType::Fixed;
    image.details = {{"kind", is_fixed ? "fixed" : "dynamic"}};
    image.mapped = opened->get();
    image.piece_size = (*opened)->header().block_size;
    image.storage = std::move(*opened);
    return image;
}

std::expected<fs::path, std::string> Chain::find_backing(const fs::path& image,
                                                         const Backing& backing) const {
    fs::path path;
    for (const std::string& name : backing.names) {
        const std::size_t colon = name.find(':');
        if (colon != std::string::npos && colon < name.find('/'))
            return std::unexpected(fmt::format("{} is based on \"{}\": only files are supported",
                                               quoted(image), name));
        path = backing_path(image, name);
        std::error_code ignored;
        if (fs::exists(path, ignored)) break;
    }
    if (options_.backing != BackingRule::Anywhere && !is_beside(image, path))
        return std::unexpected(fmt::format(
            "{} is based on {}, which is not in its folder; if you trust the image, "
            "backing-anywhere: true (on the command line --backing-anywhere) opens it all the same",
            quoted(image), quoted(path)));
    return path;
}

std::string Chain::open_backing(const fs::path& path, OpenedImage& image) {
    const auto where = find_backing(path, image.backing);
    if (!where) return where.error();
    Format format = Format::Auto;
    if (!image.backing.format.empty()) {
        format = format_named(image.backing.format);
        if (format == Format::Auto)
            return fmt::format("{} is based on {} of the format \"{}\", which is not supported",
                               quoted(path), quoted(*where), image.backing.format);
    }
    const bool is_top = opened_.size() == 1;
    auto below = open(*where, format, is_top ? options_.backing_access : FileAccess::ReadOnly);
    if (!below) return below.error() + fmt::format(" ({} is based on it)", quoted(path));
    if (image.backing.identity) {
        const auto footer = vhd::find_footer(*below->file);
        if (!footer || footer->uuid != *image.backing.identity)
            return fmt::format("{} is not the disk that {} is based on: its identifier is another",
                               quoted(*where), quoted(path));
    }
    image.packed_size = std::max(image.packed_size, below->packed_size);
    image.mapped->set_below(std::move(below->storage));
    return {};
}

}  // namespace

fs::path backing_path(const fs::path& image, const std::string& name) {
    return (image.parent_path() / fs::path{name}).lexically_normal();
}

bool is_beside(const fs::path& image, const fs::path& backing) {
    std::error_code error;
    const fs::path folder = fs::weakly_canonical(fs::absolute(image).parent_path(), error);
    if (error) return false;
    // A link inside the folder that leads out of it is outside.
    const fs::path place = fs::weakly_canonical(fs::absolute(backing), error);
    if (error) return false;
    const auto [end, rest] = std::ranges::mismatch(folder, place);
    return end == folder.end();
}

std::expected<OpenedImage, std::string> open_image(const fs::path& path,
                                                   const OpenOptions& options) {
    return Chain{options}.open(path, options.format, options.access);
}

}  // namespace backplane::images
