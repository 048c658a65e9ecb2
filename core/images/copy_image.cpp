#include "images/copy_image.h"

#include "images/byte_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

namespace backplane::images {

namespace {

namespace fs = std::filesystem;
using Done = std::expected<void, std::string>;

constexpr std::uint64_t step = 2 << 20, smallest_piece = 64 << 10;

std::string quoted(const fs::path& path) { return "\"" + path.string() + "\""; }

Done failed(const char* what, std::uint64_t offset, int error) {
    return std::unexpected(
        fmt::format("cannot {} at byte {}: {}", what, offset, std::strerror(error)));
}

Done stopped() { return std::unexpected("stopped"); }

bool is_zero(std::span<const std::byte> bytes) {
    return bytes.empty() || (bytes[0] == std::byte{0} &&
                             std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

// Reads what lies past the end as zeroes.
int read_or_zero(ImageStorage* image, std::uint64_t offset, std::span<std::byte> bytes) {
    const std::uint64_t size = image != nullptr ? image->size() : 0;
    const std::uint64_t there = offset < size ? std::min<std::uint64_t>(bytes.size(), size - offset)
                                              : 0;
    std::ranges::fill(bytes.subspan(there), std::byte{0});
    return there == 0 ? 0 : image->read(offset, Segment{bytes.first(there)}, Waiting::Yes);
}

int write_piece(OpenedImage& to, std::uint64_t offset, std::span<const std::byte> bytes,
                Packing packing) {
    return packing == Packing::Yes ? to.qcow2->write_packed(offset, bytes)
                                   : to.storage->write(offset, Segment{bytes}, Durability::Cached);
}

}  // namespace

Done copy_image(ImageStorage& from, OpenedImage& to, Packing packing, const Progress& progress) {
    if (packing == Packing::Yes && to.qcow2 == nullptr)
        return std::unexpected("only qcow2 images can be compressed");
    const std::uint64_t size = from.size();
    const std::uint64_t piece = packing == Packing::Yes ? to.piece_size : smallest_piece;
    std::vector<std::byte> buffer(std::max(step, piece));
    for (std::uint64_t at = 0; at < size;) {
        if (!progress(at, size)) return stopped();
        Extent extent;
        if (const int error = from.extent(at, size - at, extent); error != 0)
            return failed("read", at, error);
        // Whole pieces: what is compressed is compressed at once.
        if (extent.is_zero && (at + extent.length == size || extent.length >= piece)) {
            at = at + extent.length == size ? size : (at + extent.length) / piece * piece;
            continue;
        }
        const auto part = std::span{buffer}.first(
            std::min<std::uint64_t>({buffer.size(), size - at, round_up(extent.length, piece)}));
        if (const int error = from.read(at, Segment{part}, Waiting::Yes); error != 0)
            return failed("read", at, error);
        for (std::uint64_t done = 0; done < part.size();) {
            const auto bytes = part.subspan(done,
                                            std::min<std::uint64_t>(piece, part.size() - done));
            if (!is_zero(bytes))
                if (const int error = write_piece(to, at + done, bytes, packing); error != 0)
                    return failed("write", at + done, error);
            done += bytes.size();
        }
        at += part.size();
    }
    progress(size, size);
    return {};
}

Done commit_image(const fs::path& path, const OpenOptions& options, const Progress& progress) {
    OpenOptions writable = options;
    writable.access = writable.backing_access = FileAccess::ReadWrite;
    auto image = open_image(path, writable);
    if (!image) return std::unexpected(image.error());
    if (image->mapped == nullptr || image->mapped->below() == nullptr)
        return std::unexpected(quoted(path) + " is not based on another image");
    ImageStorage& top = *image->storage;
    ImageStorage& below = *image->mapped->below();
    const std::uint64_t size = top.size();
    if (below.size() < size)
        if (const int error = below.resize(size); error != 0)
            return std::unexpected(fmt::format("the image below cannot grow to {} bytes: {}", size,
                                               std::strerror(error)));
    std::vector<std::byte> buffer(step);
    for (std::uint64_t at = 0; at < size;) {
        if (!progress(at, size)) return stopped();
        Extent extent;
        if (const int error = top.extent(at, size - at, extent); error != 0)
            return failed("read", at, error);
        if (extent.is_own && extent.is_zero) {
            if (const int error = below.write_zeroes(at, extent.length, true); error != 0)
                return failed("write", at, error);
        } else if (extent.is_own) {
            extent.length = std::min(extent.length, step);
            const auto part = std::span{buffer}.first(extent.length);
            if (const int error = top.read(at, Segment{part}, Waiting::Yes); error != 0)
                return failed("read", at, error);
            if (const int error = below.write(at, Segment{part}, Durability::Cached); error != 0)
                return failed("write", at, error);
        }
        at += extent.length;
    }
    // Not before all of it is safe below.
    if (const int error = below.close(); error != 0) return failed("flush", size, error);
    if (const int error = image->mapped->uncover(0, size); error != 0)
        return std::unexpected(
            fmt::format("{} cannot be emptied: {}", quoted(path), std::strerror(error)));
    if (const int error = top.close(); error != 0) return failed("flush", size, error);
    progress(size, size);
    return {};
}

Done rename_backing(const fs::path& path, const OpenOptions& options, const std::string& backing,
                    Format backing_format) {
    OpenOptions alone = options;
    alone.access = FileAccess::ReadWrite;
    alone.backing = BackingRule::NotOpened;
    auto image = open_image(path, alone);
    if (!image) return std::unexpected(image.error());
    if (image->qcow2 == nullptr)
        return std::unexpected(quoted(path) + " is not a qcow2 image: only these can be rebased");
    const char* format = backing_format == Format::Vhd ? "vpc" : name_of(backing_format);
    if (auto done = image->qcow2->set_backing(
            backing, backing.empty() || backing_format == Format::Auto ? "" : format);
        !done)
        return std::unexpected(quoted(path) + " cannot be changed: " + done.error());
    if (const int error = image->storage->close(); error != 0) return failed("flush", 0, error);
    return {};
}

Done rebase_image(const fs::path& path, const OpenOptions& options, const std::string& backing,
                  Format backing_format, const Progress& progress) {
    OpenOptions writable = options;
    writable.access = FileAccess::ReadWrite;
    auto image = open_image(path, writable);
    if (!image) return std::unexpected(image.error());
    if (image->qcow2 == nullptr)
        return std::unexpected(quoted(path) + " is not a qcow2 image: only these can be rebased");
    OpenedImage next;
    if (!backing.empty()) {
        OpenOptions other = options;
        other.format = backing_format;
        auto opened = open_image(backing_path(path, backing), other);
        if (!opened) return std::unexpected(opened.error());
        next = std::move(*opened);
        backing_format = next.format;
    }
    ImageStorage& top = *image->storage;
    ImageStorage* old = image->mapped->below();
    const std::uint64_t size = top.size(), piece = image->piece_size;
    std::vector<std::byte> before(std::max(step, piece)), after(before.size());
    for (std::uint64_t at = 0; at < size;) {
        if (!progress(at, size)) return stopped();
        Extent extent;
        if (const int error = top.extent(at, std::min<std::uint64_t>(before.size(), size - at),
                                         extent);
            error != 0)
            return failed("read", at, error);
        for (std::uint64_t done = 0; !extent.is_own && done < extent.length; done += piece) {
            const std::uint64_t length = std::min(piece, extent.length - done);
            const auto is = std::span{before}.first(length),
                       will_be = std::span{after}.first(length);
            if (const int error = read_or_zero(old, at + done, is); error != 0)
                return failed("read", at + done, error);
            if (const int error = read_or_zero(next.storage.get(), at + done, will_be); error != 0)
                return failed("read", at + done, error);
            if (std::ranges::equal(is, will_be)) continue;
            if (const int error = top.write(at + done, Segment{is}, Durability::Cached); error != 0)
                return failed("write", at + done, error);
        }
        at += extent.length;
    }
    if (const int error = top.flush(); error != 0) return failed("flush", size, error);
    const char* format = backing_format == Format::Vhd ? "vpc" : name_of(backing_format);
    if (auto done = image->qcow2->set_backing(backing, backing.empty() ? "" : format); !done)
        return std::unexpected(quoted(path) + " cannot be changed: " + done.error());
    if (const int error = top.close(); error != 0) return failed("flush", size, error);
    progress(size, size);
    return {};
}

}  // namespace backplane::images
