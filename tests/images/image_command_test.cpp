// `backplane image`, as people use it.
#include "image_folder.h"
#include "support/paths.h"

#include <gtest/gtest.h>

namespace backplane::images {
namespace {

using namespace testing;

class ImageCommand : public ImageFolder {
protected:
    Ran image(const std::string& arguments) const {
        return run(std::string{test::paths::program} + " image " + arguments);
    }
    void expect_ok(const std::string& arguments) const {
        const Ran ran = image(arguments);
        EXPECT_EQ(ran.status, 0) << arguments << ": " << ran.output;
    }
    void expect(const std::string& arguments, int status, const std::string& text) const {
        const Ran ran = image(arguments);
        EXPECT_EQ(ran.status, status) << arguments << ": " << ran.output;
        EXPECT_NE(ran.output.find(text), std::string::npos) << arguments << ": " << ran.output;
    }
};

constexpr int bad_input = 2, damaged = 7;

TEST_F(ImageCommand, MakesAndDescribesImages) {
    expect_ok("create disk.qcow2 20G --cluster-size '128 KiB' --lazy-refcounts");
    expect("info disk.qcow2", 0, "20 GiB");
    expect("info --json disk.qcow2", 0, "\"size\": 21474836480");
    expect("info --json disk.qcow2", 0, "\"cluster-size\": 131072");
    expect("info --json disk.qcow2", 0, "\"lazy-refcounts\": \"yes\"");
    expect_ok("create --backing disk.qcow2 top.qcow2");
    expect("info --json top.qcow2", 0, "\"backing\": \"disk.qcow2\"");
    expect_ok("create --format vhd --fixed disk.any 1M");
    EXPECT_EQ(fs::file_size(at("disk.any")), (1u << 20) + 512);
    expect("info --json --format vhd disk.any", 0, "\"kind\": \"fixed\"");
    expect_ok("create disk.img 1MiB");
    expect("info --json disk.img", 0, "\"format\": \"raw\"");
}

TEST_F(ImageCommand, SaysWhatIsWrongWithACommand) {
    expect("", bad_input, "an action is missing");
    expect("chek disk.img", bad_input, "did you mean 'check'?");
    expect("create disk.img", bad_input, "expected: backplane image create FILE SIZE");
    expect("create disk.img 12Q", bad_input, "KiB, MiB, GiB or TiB");
    expect("create disk.img 1G --cluster-size 4K", bad_input, "--cluster-size is for qcow2 images");
    expect("create disk.img 1G --unsafe", bad_input, "create does not take --unsafe");
    expect("info none.img", bad_input, "none.img\": No such file or directory");
    expect("info --format qcow none", bad_input, "raw, qcow2, vhd, vmdk or vdi was expected");
    expect("convert one.img", bad_input, "expected: backplane image convert [options] FROM TO");
    expect_ok("create disk.img 1M");
    expect("create disk.img 1M", bad_input, "File exists");
    expect_ok("create --force disk.img 2M");
    expect("commit disk.img", bad_input, "is not based on another image");
    expect("check --repair some disk.img", bad_input, "leaks or all was expected");
}

TEST_F(ImageCommand, ConvertsThereAndBack) {
    std::string disk(3 << 20, '\0');
    for (std::size_t index = 70'000; index < 900'000; index += 3)
        disk[index] = static_cast<char>(index / 7);
    put("disk.img", disk.data(), disk.size());
    expect_ok("convert disk.img a.qcow2");
    expect_ok("convert --compress --compression zstd a.qcow2 b.qcow2");
    EXPECT_LT(fs::file_size(at("b.qcow2")), fs::file_size(at("a.qcow2")));
    expect_ok("convert b.qcow2 c.vhd");
    expect_ok("convert --fixed c.vhd d.vhd");
    expect_ok("convert --version 2 d.vhd e.qcow2");
    expect_ok("convert e.qcow2 back.img");
    EXPECT_TRUE(get("back.img") == disk);
    expect("convert a.qcow2 back.img", bad_input, "File exists");
    expect("convert --compress a.qcow2 x.vhd", bad_input, "--compress is for qcow2 images");
    EXPECT_FALSE(fs::exists(at("x.vhd")));
    expect("convert a.qcow2 x.vdi", bad_input, "can only be read");
}

TEST_F(ImageCommand, ChecksAndMends) {
    expect_ok("create disk.qcow2 1M");
    expect("check disk.qcow2", 0, "no errors");
    patch("disk.qcow2", 2 * 65536 + 6, number(3, 2));
    expect("check disk.qcow2", 0, "1 leak (0 mended)");
    expect("check --json --repair leaks disk.qcow2", 0, "\"mended-leaks\": 1");
    expect("check disk.qcow2", 0, "no errors");
    patch("disk.qcow2", 2 * 65536 + 2, number(0, 2));
    expect("check disk.qcow2", damaged,
           "error: the cluster at byte 65536 is counted 0 times, and used 1");
    expect("check --repair leaks disk.qcow2", damaged, "1 error (0 mended)");
    expect("check --repair all disk.qcow2", 0, "1 error (1 mended)");
    expect("check disk.qcow2", 0, "no errors");
    expect_ok("create disk.img 1M");
    expect("check disk.img", 0, "nothing that could be checked");
}

TEST_F(ImageCommand, CommitsAndRebases) {
    expect_ok("create base.qcow2 1M");
    expect_ok("create --backing base.qcow2 top.qcow2");
    std::string text(4096, 'x');
    {
        auto top = open("top.qcow2", FileAccess::ReadWrite);
        ASSERT_EQ(
            top.storage->write(8192, Segment{std::as_bytes(std::span{text})}, Durability::Stable),
            0);
        ASSERT_EQ(top.storage->close(), 0);
    }
    expect_ok("commit top.qcow2");
    expect_ok("rebase --backing '' top.qcow2");
    fs::remove(at("base.qcow2"));
    std::string is(4096, '\0');
    const auto top = open("top.qcow2");
    ASSERT_EQ(top.storage->read(8192, Segment{std::as_bytes(std::span{is})}, Waiting::Yes), 0);
    EXPECT_EQ(is, text);
    fs::create_directory(at("sub"));
    expect("create --backing ../top.qcow2 sub/far.qcow2", 0, "is not in the folder of");
    expect("convert sub/far.qcow2 sub/far.img", bad_input, "--backing-anywhere");
    expect_ok("convert --backing-anywhere sub/far.qcow2 sub/far.img");
}

}  // namespace
}  // namespace backplane::images
