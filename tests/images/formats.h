// The kinds of images that can be written, as files in memory.
#pragma once

#include "images/qcow2/check.h"
#include "images/qcow2/create.h"
#include "images/qcow2/qcow2_image.h"
#include "images/raw_storage.h"
#include "images/vhd/check.h"
#include "images/vhd/create.h"
#include "images/vhd/dynamic_vhd.h"
#include "images/vhd/fixed_vhd.h"
#include "memory_file.h"
#include "stamped_disk.h"

#include <expected>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace backplane::images::testing {

struct Kind {
    std::string name;
    bool is_qcow2 = false;
    qcow2::CreateOptions qcow2 = {};
    bool is_vhd = false;
    vhd::CreateOptions vhd = {};
    bool has_below = false;
};

inline void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

inline std::vector<Kind> writable_kinds() {
    std::vector<Kind> kinds{{.name = "raw"}};
    const auto add_qcow2 = [&](std::string name, qcow2::CreateOptions options, bool below = false) {
        if (below) options.backing = "below.img", options.backing_format = "raw";
        kinds.push_back(
            {.name = std::move(name), .is_qcow2 = true, .qcow2 = options, .has_below = below});
    };
    add_qcow2("qcow2", {});
    add_qcow2("qcow2_small_clusters", {.cluster_size = 512});
    add_qcow2("qcow2_small_counts", {.cluster_size = 4096, .refcount_bits = 1});
    add_qcow2("qcow2_large_counts", {.cluster_size = 1024, .refcount_bits = 64});
    add_qcow2("qcow2_lazy", {.cluster_size = 4096, .has_lazy_refcounts = true});
    add_qcow2("qcow2_version2", {.version = 2, .cluster_size = 8192});
    add_qcow2("qcow2_version2_below", {.version = 2, .cluster_size = 8192}, true);
    add_qcow2("qcow2_below", {.cluster_size = 16384}, true);
    add_qcow2("qcow2_large_clusters", {.cluster_size = 2 << 20});
    kinds.push_back({.name = "vhd_fixed", .is_vhd = true, .vhd = {.type = vhd::DiskType::Fixed}});
    kinds.push_back({.name = "vhd", .is_vhd = true, .vhd = {.type = vhd::DiskType::Dynamic}});
    kinds.push_back({.name = "vhd_differencing",
                     .is_vhd = true,
                     .vhd = {.type = vhd::DiskType::Differencing,
                             .parent_relative = "below.vhd",
                             .parent_absolute = "/below.vhd"},
                     .has_below = true});
    return kinds;
}

inline std::shared_ptr<MemoryDisk> make(const Kind& kind, std::uint64_t size) {
    auto disk = std::make_shared<MemoryDisk>();
    MemoryFile file{disk};
    std::expected<void, std::string> done;
    if (kind.is_qcow2) {
        auto options = kind.qcow2;
        options.size = size;
        done = qcow2::create(file, options);
    } else if (kind.is_vhd) {
        auto options = kind.vhd;
        options.size = size;
        done = vhd::create(file, options);
    } else {
        (void)file.resize(size);
    }
    (void)file.flush();
    // What an image gives back may be anything; a disk whose bytes are the file's own has holes.
    if (!kind.is_qcow2) disk->discarded = std::byte{0};
    return done ? disk : nullptr;
}

// What images with something below see through to: shorter than they are, with stamps in places.
inline std::unique_ptr<ImageStorage> below(std::uint64_t size) {
    auto disk = std::make_shared<MemoryDisk>();
    auto image = std::make_unique<RawStorage>(std::make_unique<MemoryFile>(disk));
    size -= size / 8;
    (void)image->resize(size);
    StampedDisk stamps{size, 99, std::uint64_t{1} << 40};
    for (int count = 0; count < 100; ++count)
        (void)stamps.write(*image, stamps.random() % (size / 512 - 64), 1 + stamps.random() % 64);
    return image;
}

inline std::unique_ptr<ImageStorage> open(const Kind& kind, const std::shared_ptr<MemoryDisk>& disk,
                                          std::unique_ptr<ImageStorage> under = nullptr,
                                          std::string* why = nullptr) {
    auto file = std::make_unique<MemoryFile>(disk);
    const auto fail = [&](const std::string& text) {
        if (why != nullptr) *why = text;
        return nullptr;
    };
    if (kind.is_qcow2) {
        auto image = qcow2::Qcow2Image::open(std::move(file));
        if (!image) return fail(image.error());
        if (under) (*image)->set_below(std::move(under));
        return std::move(*image);
    }
    if (!kind.is_vhd) return std::make_unique<RawStorage>(std::move(file));
    auto footer = vhd::find_footer(*file);
    if (!footer) return fail(footer.error());
    if (footer->type == vhd::DiskType::Fixed)
        return std::make_unique<vhd::FixedVhd>(std::move(file), *footer);
    auto image = vhd::DynamicVhd::open(std::move(file), *footer);
    if (!image) return fail(image.error());
    if (under) (*image)->set_below(std::move(under));
    return std::move(*image);
}

inline std::expected<CheckReport, std::string>
check(const Kind& kind, const std::shared_ptr<MemoryDisk>& disk, Repair repair = Repair::Nothing) {
    MemoryFile file{disk};
    if (kind.is_qcow2) return qcow2::check(file, repair);
    if (kind.is_vhd) return vhd::check(file, repair);
    return CheckReport{.is_checkable = false};
}

}  // namespace backplane::images::testing
