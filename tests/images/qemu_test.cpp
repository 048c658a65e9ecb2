// Images that QEMU's tools make are read here, and the other way round, with the same contents.
#include "image_folder.h"
#include "images/check_image.h"
#include "images/copy_image.h"
#include "images/raw_storage.h"
#include "memory_file.h"
#include "stamped_disk.h"

#include <gtest/gtest.h>

namespace backplane::images {
namespace {

using namespace testing;

constexpr std::uint64_t size = 8 << 20;

class Qemu : public ImageFolder {
protected:
    void SetUp() override {
        if (!has_qemu_img()) GTEST_SKIP() << "no qemu-img here; tools/setup installs it";
    }

    void write_raw(const StampedDisk& work, const std::string& name) const {
        const auto contents = work.contents();
        put(name, contents.data(), contents.size() * 8);
    }
    // Something in 100 places.
    static StampedDisk random_disk(std::uint64_t seed) {
        StampedDisk work{size, seed};
        auto disk = std::make_shared<MemoryDisk>();
        RawStorage image{std::make_unique<MemoryFile>(disk)};
        (void)image.resize(size);
        for (int count = 0; count < 100; ++count)
            (void)work.write(image, work.random() % (size / 512 - 200), 1 + work.random() % 200);
        return work;
    }
    bool reads_as(const std::string& name, StampedDisk& work, OpenOptions options = {}) const {
        auto image = open(name, FileAccess::ReadOnly, options);
        if (image.storage == nullptr) return false;
        EXPECT_GE(image.storage->size(), size);
        const bool same = work.is_current(*image.storage);
        EXPECT_TRUE(same) << name << ": " << work.difference;
        return same;
    }
    static bool always(std::uint64_t, std::uint64_t) { return true; }
};

TEST_F(Qemu, ItsImagesAreRead) {
    StampedDisk work = random_disk(1);
    write_raw(work, "disk.img");
    for (const auto& [format, options, name] : std::vector<std::array<std::string, 3>>{
             {"qcow2", "compat=1.1", "a.qcow2"},
             {"qcow2", "compat=0.10", "b.qcow2"},
             {"qcow2", "compat=1.1,cluster_size=512", "c.qcow2"},
             {"qcow2", "compat=1.1,cluster_size=2M", "d.qcow2"},
             {"qcow2", "compat=1.1,refcount_bits=1,cluster_size=4k", "e.qcow2"},
             {"qcow2", "compat=1.1,refcount_bits=64", "f.qcow2"},
             {"qcow2", "compat=1.1,compression_type=zstd -c", "g.qcow2"},
             {"qcow2", "compat=1.1 -c", "h.qcow2"},
             {"qcow2", "cluster_size=512 -c", "i.qcow2"},
             {"qcow2", "compat=1.1,preallocation=metadata", "j.qcow2"},
             {"vpc", "subformat=dynamic,force_size=on", "k.vhd"},
             {"vpc", "subformat=fixed,force_size=on", "l.vhd"},
             {"vmdk", "subformat=monolithicSparse", "m.vmdk"},
             {"vmdk", "subformat=streamOptimized", "n.vmdk"},
             {"vdi", "static=off", "o.vdi"},
             {"vdi", "static=on", "p.vdi"},
             {"raw", "size=8M", "q.img"}}) {
        const std::string with = format == "raw" ? "" : "-o " + options;
        expect_run("qemu-img convert -f raw -O " + format + " " + with + " disk.img " + name);
        reads_as(name, work);
        const auto report = check_image(at(name), Format::Auto, Repair::Nothing);
        ASSERT_TRUE(report) << report.error();
        EXPECT_EQ(report->errors + report->leaks, 0u) << name << ": " << report->findings[0];
    }
}

TEST_F(Qemu, ItReadsOurImages) {
    StampedDisk work = random_disk(2);
    write_raw(work, "disk.img");
    const auto source = open("disk.img");
    int number = 0;
    for (const CreateOptions& wanted : std::vector<CreateOptions>{
             {.format = Format::Qcow2},
             {.format = Format::Qcow2, .version = 2},
             {.format = Format::Qcow2, .cluster_size = 512, .refcount_bits = 8},
             {.format = Format::Qcow2, .cluster_size = 2 << 20, .has_lazy_refcounts = true},
             {.format = Format::Qcow2, .compression = "zstd"},
             {.format = Format::Vhd},
             {.format = Format::Vhd, .is_fixed = true}}) {
        for (const Packing packing : {Packing::No, Packing::Yes}) {
            if (packing == Packing::Yes && wanted.format != Format::Qcow2) continue;
            CreateOptions options = wanted;
            options.size = size;
            const std::string name = std::to_string(number++) +
                                     (wanted.format == Format::Vhd ? ".vhd" : ".qcow2");
            create(name, options);
            {
                auto target = open(name, FileAccess::ReadWrite);
                const auto done = copy_image(*source.storage, target, packing, always);
                ASSERT_TRUE(done) << done.error();
                ASSERT_EQ(target.storage->close(), 0);
            }
            const std::string format = wanted.format == Format::Vhd ? "vpc" : "qcow2";
            expect_run("qemu-img compare -f raw -F " + format + " disk.img " + name);
            if (format == "qcow2") expect_run("qemu-img check -q " + name);
            reads_as(name, work);
        }
    }
}

// Both take turns in writing one file.
TEST_F(Qemu, BothWriteTheSameImage) {
    struct Turn {
        std::string name, format, options;
    };
    for (const auto& [name, format, options] :
         std::vector<Turn>{{"a.qcow2", "qcow2", "compat=1.1"},
                           {"b.qcow2", "qcow2", "compat=0.10,cluster_size=4k"},
                           {"c.qcow2", "qcow2", "compat=1.1,cluster_size=512,refcount_bits=2"},
                           {"d.qcow2", "qcow2", "compat=1.1,lazy_refcounts=on,cluster_size=16k"},
                           {"e.qcow2", "qcow2", "compat=1.1,cluster_size=1k -c"},
                           {"f.vhd", "vpc", "force_size=on"}}) {
        StampedDisk work = random_disk(3);
        write_raw(work, "disk.img");
        expect_run("qemu-img convert -f raw -O " + format + " -o " + options + " disk.img " + name);
        for (int turn = 0; turn < 4; ++turn) {
            {
                auto image = open(name, FileAccess::ReadWrite);
                for (int step = 0; step < 60; ++step)
                    ASSERT_EQ(work.step(*image.storage), 0) << name << ": " << work.difference;
                ASSERT_EQ(image.storage->close(), 0);
            }
            write_raw(work, "disk.img");
            expect_run("qemu-img compare -f raw -F " + format + " disk.img " + name);
            if (format == "qcow2") {
                expect_run("qemu-img check -q " + name);
                // A snapshot shares all clusters: they must be left alone from now on.
                if (turn < 2)
                    expect_run("qemu-img snapshot -c turn" + std::to_string(turn) + " " + name);
                write_raw(work, "turn" + std::to_string(turn) + ".img");
            }
            // The same values as StampedDisk's zeroes, and others that it then takes for known.
            const std::string place = std::to_string(turn * 64 + 3) + "k";
            expect_run("qemu-io -f " + format + " -c 'write -z " + place + " 200k' " + name);
            auto image = open(name);
            work.adopt(*image.storage);
        }
        if (format != "qcow2") continue;
        for (int turn = 0; turn < 2; ++turn) {
            const std::string snapshot = "turn" + std::to_string(turn);
            OpenOptions at_snapshot;
            at_snapshot.internal_snapshot = snapshot;
            const auto image = open(name, FileAccess::ReadOnly, at_snapshot);
            const std::string expected = get(snapshot + ".img");
            std::string is(size, '\1');
            ASSERT_EQ(image.storage->read(0, Segment{std::as_bytes(std::span{is})}, Waiting::Yes),
                      0);
            EXPECT_TRUE(is == expected) << name << " at " << snapshot;
        }
        EXPECT_NE(refusal(name, {.internal_snapshot = "turn9"}).find("has no internal snapshot"),
                  std::string::npos);
    }
}

TEST_F(Qemu, ChainsOfImagesAreReadAndMade) {
    StampedDisk work = random_disk(4);
    write_raw(work, "disk.img");
    expect_run("qemu-img convert -f raw -O vpc -o force_size=on disk.img base.vhd");
    expect_run("qemu-img create -f qcow2 -b base.vhd -F vpc middle.qcow2");
    create("top.qcow2", {.size = size, .cluster_size = 4096, .backing = "middle.qcow2"});
    for (int turn = 0; turn < 3; ++turn) {
        auto image = open("top.qcow2", FileAccess::ReadWrite);
        for (int step = 0; step < 40; ++step)
            ASSERT_EQ(work.step(*image.storage), 0) << work.difference;
        ASSERT_EQ(image.storage->close(), 0);
        image = {};
        write_raw(work, "disk.img");
        expect_run("qemu-img compare -f raw disk.img top.qcow2");
    }
    // What is written down is not in the upper image any more.
    auto done = commit_image(at("top.qcow2"), {}, always);
    ASSERT_TRUE(done) << done.error();
    reads_as("middle.qcow2", work);
    expect_run("qemu-img compare -f raw disk.img top.qcow2");
    expect_run("qemu-img compare -f raw disk.img middle.qcow2");
    expect_run("qemu-img check -q top.qcow2 && qemu-img check -q middle.qcow2");
    EXPECT_LT(fs::file_size(at("top.qcow2")), 4u << 20);

    // Another base, and none.
    create("other.qcow2", {.size = size});
    {
        auto other = open("other.qcow2", FileAccess::ReadWrite);
        StampedDisk noise{size, 77, std::uint64_t{1} << 33};
        for (int step = 0; step < 20; ++step)
            ASSERT_EQ(noise.step(*other.storage), 0);
        ASSERT_EQ(other.storage->close(), 0);
    }
    for (const std::string backing : {"other.qcow2", ""}) {
        done = rebase_image(at("top.qcow2"), {}, backing, Format::Auto, always);
        ASSERT_TRUE(done) << done.error();
        reads_as("top.qcow2", work);
        expect_run("qemu-img compare -f raw disk.img top.qcow2");
        expect_run("qemu-img check -q top.qcow2");
    }
    // The same disk under another name.
    expect_run("mv middle.qcow2 elsewhere.qcow2 && qemu-img create -f qcow2 -b elsewhere.qcow2 -F "
               "qcow2 again.qcow2 && mv elsewhere.qcow2 middle.qcow2");
    EXPECT_NE(refusal("again.qcow2").find("elsewhere.qcow2\": No such file"), std::string::npos);
    done = rename_backing(at("again.qcow2"), {}, "middle.qcow2", Format::Qcow2);
    ASSERT_TRUE(done) << done.error();
    reads_as("again.qcow2", work);
    expect_run("qemu-img compare -f raw disk.img again.qcow2");
}

TEST_F(Qemu, WhatIsWrongIsMendedForBoth) {
    StampedDisk work = random_disk(5);
    write_raw(work, "disk.img");
    expect_run("qemu-img convert -f raw -O qcow2 -o cluster_size=4k disk.img a.qcow2");
    const std::string sound = get("a.qcow2");
    const auto header = open("a.qcow2").qcow2->header();
    // The first block of counts, with some that are too low and some that are too high.
    std::uint64_t block = 0;
    for (int byte = 0; byte < 8; ++byte)
        block = block << 8 | static_cast<unsigned char>(
                                 sound[header.refcount_table_offset + static_cast<unsigned>(byte)]);
    for (const int at_cluster : {3, 7, 50, 51, 52})
        patch("a.qcow2", block + static_cast<unsigned>(at_cluster) * 2u, number(0, 2));
    for (const int at_cluster : {9, 60})
        patch("a.qcow2", block + static_cast<unsigned>(at_cluster) * 2u, number(5, 2));
    EXPECT_NE(run("qemu-img check -q a.qcow2").status, 0);
    auto report = check_image(at("a.qcow2"), Format::Auto, Repair::Nothing);
    ASSERT_TRUE(report);
    EXPECT_GE(report->errors, 5u);
    EXPECT_EQ(report->leaks, 2u);
    report = check_image(at("a.qcow2"), Format::Auto, Repair::Leaks);
    EXPECT_EQ(report->mended_leaks, 2u);
    report = check_image(at("a.qcow2"), Format::Auto, Repair::Everything);
    EXPECT_EQ(report->errors, report->mended_errors);
    expect_run("qemu-img check -q a.qcow2");
    expect_run("qemu-img compare -f raw disk.img a.qcow2");

    // No counts at all.
    put("a.qcow2", sound.data(), sound.size());
    patch("a.qcow2", header.refcount_table_offset, std::string(header.cluster_size(), '\0'));
    report = check_image(at("a.qcow2"), Format::Auto, Repair::Everything);
    ASSERT_TRUE(report) << report.error();
    EXPECT_EQ(report->errors, report->mended_errors);
    expect_run("qemu-img check -q a.qcow2");
    expect_run("qemu-img compare -f raw disk.img a.qcow2");
}

}  // namespace
}  // namespace backplane::images
