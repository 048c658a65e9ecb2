// Which format a file is taken for, which files are opened with it, and what is refused, with which
// words.
#include "image_folder.h"
#include "images/check_image.h"
#include "images/copy_image.h"

#include <gtest/gtest.h>

namespace backplane::images {
namespace {

using namespace testing;

constexpr std::uint64_t size = 1 << 20;

class OpenImage : public ImageFolder {
protected:
    void expect_refusal(const std::string& name, const std::string& why, OpenOptions options = {}) {
        const std::string is = refusal(name, options);
        EXPECT_NE(is.find(why), std::string::npos) << name << ": \"" << is << '"';
    }
};

TEST_F(OpenImage, TheFormatIsWhatNameAndFirstBytesAgreeOn) {
    for (const char* name : {"a.qcow2", "a.vhd", "a.img", "a.iso", "a", "A.QCOW2"})
        create(name, {.size = size});
    EXPECT_EQ(open("a.qcow2").format, Format::Qcow2);
    EXPECT_EQ(open("A.QCOW2").format, Format::Qcow2);
    EXPECT_EQ(open("a.vhd").format, Format::Vhd);
    for (const char* name : {"a.img", "a.iso", "a"})
        EXPECT_EQ(open(name).format, Format::Raw);
}

// Its guest could make any host file part of the disk by writing a header that names it.
TEST_F(OpenImage, ARawDiskIsNeverTakenForAnotherFormat) {
    create("disk.img", {.size = size});
    create("other.qcow2", {.size = size});
    patch("disk.img", 0, get("other.qcow2"));
    expect_refusal("disk.img", "looks like a qcow2 image, but is not called so");
    EXPECT_EQ(open("disk.img", FileAccess::ReadOnly, {.format = Format::Raw}).format, Format::Raw);
    EXPECT_EQ(open("disk.img", FileAccess::ReadOnly, {.format = Format::Qcow2}).format,
              Format::Qcow2);
    create("base.img", {.size = size});
    create("top.qcow2", {.backing = "base.img"});
    // It is written down that the base is raw, whatever it looks like later.
    patch("base.img", 0, get("other.qcow2"));
    const auto top = open("top.qcow2");
    std::array<std::byte, 512> start{};
    ASSERT_EQ(top.storage->read(0, Segment{start}, Waiting::Yes), 0);
    EXPECT_EQ(start[0], std::byte{'Q'});
    create("wrong.img", {.size = size});
    fs::rename(at("wrong.img"), at("wrong.qcow2"));
    expect_refusal("wrong.qcow2", "is called .qcow2, but looks like a raw disk");
    patch("wrong.qcow2", 0, "vhdxfile");
    expect_refusal("wrong.qcow2", "looks like a VHDX image, which is not supported");
}

TEST_F(OpenImage, ABackingFileIsOpenedOnlyBesideItsImage) {
    fs::create_directories(at("images/sub"));
    create("secret.qcow2", {.size = size});
    create("images/near.qcow2", {.size = size});
    create("images/sub/deep.qcow2", {.size = size});
    create("images/top.qcow2", {.backing = "near.qcow2"});
    create("images/other.qcow2", {.backing = "sub/deep.qcow2"});
    EXPECT_EQ(refusal("images/top.qcow2"), "");
    EXPECT_EQ(refusal("images/other.qcow2"), "");
    create("images/parent.qcow2", {.backing = "../secret.qcow2"});
    create("images/absolute.qcow2", {.backing = at("secret.qcow2").string()});
    fs::create_symlink(at("secret.qcow2"), at("images/link.qcow2"));
    create("images/linked.qcow2", {.backing = "link.qcow2"});
    for (const char* name :
         {"images/parent.qcow2", "images/absolute.qcow2", "images/linked.qcow2"}) {
        expect_refusal(name, "which is not in its folder; if you trust");
        EXPECT_EQ(refusal(name, {.backing = BackingRule::Anywhere}), "");
    }
    expect_refusal("images/../images/parent.qcow2", "not in its folder");
    for (const char* name : {"json:{\"driver\":\"raw\"}", "nbd://host/disk", "ssh:disk"}) {
        ASSERT_TRUE(rename_backing(at("images/top.qcow2"), {}, name, Format::Auto));
        expect_refusal("images/top.qcow2", "only files are supported");
    }
}

TEST_F(OpenImage, LoopsAndLongChainsAreRefused) {
    create("a.qcow2", {.size = size});
    create("b.qcow2", {.backing = "a.qcow2"});
    ASSERT_TRUE(rename_backing(at("a.qcow2"), {}, "b.qcow2", Format::Qcow2));
    expect_refusal("b.qcow2", "is based on itself, directly or through others");
    ASSERT_TRUE(rename_backing(at("a.qcow2"), {}, "a.qcow2", Format::Qcow2));
    expect_refusal("a.qcow2", "is based on itself");
    fs::create_hard_link(at("a.qcow2"), at("same.qcow2"));
    ASSERT_TRUE(rename_backing(at("a.qcow2"), {}, "same.qcow2", Format::Qcow2));
    expect_refusal("a.qcow2", "is based on itself");
    create("0.qcow2", {.size = size, .cluster_size = 512});
    for (int index = 1; index <= 70; ++index)
        create(std::to_string(index) + ".qcow2",
               {.cluster_size = 512, .backing = std::to_string(index - 1) + ".qcow2"});
    EXPECT_EQ(refusal("60.qcow2"), "");
    expect_refusal("70.qcow2", "more than 64 images are based on each other");
}

TEST_F(OpenImage, ADifferencingVhdKnowsItsParent) {
    create("parent.vhd", {.size = size});
    create("child.vhd", {.backing = "parent.vhd"});
    EXPECT_EQ(refusal("child.vhd"), "");
    fs::remove(at("parent.vhd"));
    expect_refusal("child.vhd", "parent.vhd\": No such file");
    create("parent.vhd", {.size = size});
    expect_refusal("child.vhd", "is not the disk that");
}

TEST_F(OpenImage, WhatIsNotSupportedIsSaid) {
    create("a.qcow2", {.size = size});
    const std::string sound = get("a.qcow2");
    const auto with = [&](std::uint64_t offset, const std::string& bytes) {
        put("a.qcow2", sound.data(), sound.size());
        patch("a.qcow2", offset, bytes);
    };
    with(4, number(1, 4));
    expect_refusal("a.qcow2", "is a qcow image of version 1; 2 and 3 are supported");
    with(20, number(40, 4));
    expect_refusal("a.qcow2", "has clusters of 2^40 bytes");
    with(32, number(2, 4));
    expect_refusal("a.qcow2", "is encrypted");
    with(72, number(4));
    expect_refusal("a.qcow2", "its data is in another file");
    with(72, number(16));
    expect_refusal("a.qcow2", "it has subclusters (extended L2 entries)");
    with(72, number(std::uint64_t{1} << 40));
    expect_refusal("a.qcow2", "a feature that is not known here: number 40");
    with(104, "\x07");
    expect_refusal("a.qcow2", "is compressed in a way that is not known here");
    with(72, number(2));
    expect_refusal("a.qcow2", "is marked as damaged", {.access = FileAccess::ReadWrite});
    EXPECT_EQ(refusal("a.qcow2"), "");
    for (const char* name : {"a.vmdk", "a.vdi"}) {
        put(name, "", 0);
        const Format format = format_by_name(name);
        expect_refusal(name, "which can only be read",
                       {.format = format, .access = FileAccess::ReadWrite});
    }
    put("b.vmdk", "# Disk DescriptorFile\nversion=1\n", 32);
    expect_refusal("b.vmdk", "only describes a disk");
}

// Tables that would fill the host's memory, or lie nowhere.
TEST_F(OpenImage, HostileHeadersAreRefused) {
    create("a.qcow2", {.size = size});
    const std::string sound = get("a.qcow2");
    struct Case {
        std::uint64_t offset;
        std::string bytes;
        const char* why;
    };
    for (const Case& each : std::vector<Case>{
             {36, number(0xffffffff, 4), "its L1 table has 34359738360 bytes"},
             {36, number(1 << 20, 4), "beyond the end of the file"},
             {40, number(std::uint64_t{1} << 60), "beyond the end of the file"},
             {40, number(12345), "not the start of a cluster"},
             {24, number(std::uint64_t{1} << 61), "too few for a disk"},
             {24, number(~std::uint64_t{0}), "too few for a disk"},
             {48, number(~std::uint64_t{0xffff}), "beyond the end of the file"},
             {56, number(0xffffffff, 4), "its refcount table has"},
             {56, number(0, 4), "has no refcount table"},
             {60, number(0xffffffff, 4), "its snapshot table has"},
             {96, number(7, 4), "has refcounts of 2^7 bits"},
             {100, number(0xfffffff0, 4), "has a header of"},
             {112, number(0x12345678, 4) + number(0xfffffff0, 4), "a header extension is longer"},
             {8, number(0xfff0) + number(100, 4), "the name of its backing file outside"}}) {
        put("a.qcow2", sound.data(), sound.size());
        patch("a.qcow2", each.offset, each.bytes);
        expect_refusal("a.qcow2", each.why);
    }
    create("b.vhd", {.size = size});
    const std::string vhd = get("b.vhd");
    patch("b.vhd", 512 + 28, number(0xffffffff, 4));
    expect_refusal("b.vhd", "a dynamic disk header whose checksum is wrong");
    put("b.vhd", vhd.data(), 300);
    expect_refusal("b.vhd", "is not a VHD image");
}

TEST_F(OpenImage, TablesThatPointAtOtherTablesDoNoHarm) {
    create("a.qcow2", {.size = size});
    std::string data(size, 'x');
    {
        auto image = open("a.qcow2", FileAccess::ReadWrite);
        ASSERT_EQ(
            image.storage->write(0, Segment{std::as_bytes(std::span{data})}, Durability::Cached),
            0);
        ASSERT_EQ(image.storage->close(), 0);
    }
    const auto header = open("a.qcow2").qcow2->header();
    const std::string sound = get("a.qcow2");
    std::uint64_t table = 0;
    for (std::uint64_t byte = 1; byte < 8; ++byte)
        table = table << 8 | static_cast<unsigned char>(sound[header.l1_offset + byte]);
    const std::uint64_t own = std::uint64_t{1} << 63;
    std::array<std::byte, 512> bytes{};
    // A data cluster that is the header, the L1 table, the refcount table, the L2 table itself.
    for (const std::uint64_t place :
         {std::uint64_t{65536}, header.l1_offset, header.refcount_table_offset, table}) {
        put("a.qcow2", sound.data(), sound.size());
        patch("a.qcow2", table, number(own | place));
        auto image = open("a.qcow2", FileAccess::ReadWrite);
        EXPECT_EQ(image.storage->write(0, Segment{bytes}, Durability::Cached), EUCLEAN);
        EXPECT_EQ(image.storage->write(512 << 10, Segment{bytes}, Durability::Cached), 0)
            << "what is sound and in place goes on";
        image = {};
        EXPECT_NE(get("a.qcow2").substr(place, 8), std::string(8, '\0'));
        expect_refusal("a.qcow2", "is marked as damaged", {.access = FileAccess::ReadWrite});
        const auto report = check_image(at("a.qcow2"), Format::Auto, Repair::Everything);
        ASSERT_TRUE(report) << report.error();
        EXPECT_GT(report->errors, report->mended_errors);
    }
    // Beyond the file, not at the start of a cluster, and an L2 table that is nowhere.
    for (const auto& [place, entry] :
         {std::pair{table, own | std::uint64_t{1} << 50}, std::pair{table, own | 65536 * 7 | 512},
          std::pair{header.l1_offset, own | std::uint64_t{1} << 50}}) {
        put("a.qcow2", sound.data(), sound.size());
        patch("a.qcow2", place, number(entry));
        auto image = open("a.qcow2", FileAccess::ReadWrite);
        EXPECT_EQ(image.storage->read(0, Segment{bytes}, Waiting::Yes), EUCLEAN);
        EXPECT_EQ(image.storage->write(0, Segment{bytes}, Durability::Cached), EUCLEAN);
    }
    // Counts that call everything free.
    put("a.qcow2", sound.data(), sound.size());
    patch("a.qcow2", 2 * 65536, std::string(64, '\0'));
    patch("a.qcow2", table, number(0));
    auto image = open("a.qcow2", FileAccess::ReadWrite);
    EXPECT_EQ(image.storage->write(0, Segment{bytes}, Durability::Cached), EUCLEAN);
}

TEST_F(OpenImage, NothingIsLeftOfAnImageThatCannotBeMade) {
    const auto refused = [&](const std::string& name, CreateOptions options) {
        options.format = format_by_name(name);
        const auto done = create_image(at(name), options);
        EXPECT_FALSE(fs::exists(at(name)));
        return done ? "" : done.error();
    };
    EXPECT_NE(refused("a.qcow2", {.size = size, .cluster_size = 1000}).find("a power of two"),
              std::string::npos);
    EXPECT_NE(refused("a.qcow2", {.size = std::uint64_t{1} << 60}).find("needs larger clusters"),
              std::string::npos);
    EXPECT_NE(refused("a.vhd", {.size = std::uint64_t{3} << 40}).find("2040 GiB"),
              std::string::npos);
    EXPECT_NE(refused("a.vdi", {.size = size}).find("can only be read"), std::string::npos);
    EXPECT_NE(refused("a.img", {.backing = "b.img"}).find("cannot be based on another"),
              std::string::npos);
    EXPECT_NE(refused("a.qcow2", {.backing = "none.qcow2"}).find("No such file"),
              std::string::npos);
    create("a.img", {.size = size});
    const auto again = create_image(at("a.img"), {.format = Format::Raw, .size = size});
    ASSERT_FALSE(again);
    EXPECT_NE(again.error().find("File exists"), std::string::npos);
}

TEST_F(OpenImage, AWriterIsAloneAndReadersShare) {
    create("a.qcow2", {.size = size});
    {
        const auto writer = open("a.qcow2", FileAccess::ReadWrite);
        expect_refusal("a.qcow2", "is being written by another");
        expect_refusal("a.qcow2", "is in use by another", {.access = FileAccess::ReadWrite});
        if (has_qemu_img()) EXPECT_NE(run("qemu-img check a.qcow2").status, 0);
    }
    const auto reader = open("a.qcow2");
    EXPECT_EQ(refusal("a.qcow2"), "");
    expect_refusal("a.qcow2", "is in use by another", {.access = FileAccess::ReadWrite});
    if (!has_qemu_img()) return;
    expect_run("qemu-img check a.qcow2");
    EXPECT_NE(run("qemu-io -f qcow2 -c 'write 0 512' a.qcow2").status, 0);
}

}  // namespace
}  // namespace backplane::images
