// Images in real files: what is read and written, what is refused, and with which words.
#include "disk_image.h"
#include "images/create_image.h"
#include "patience.h"

#include <backplane/testing/device_bench.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

namespace backplane::storage {
namespace {

using testing::DeviceBench;
using testing::Setting;
using Data = std::vector<std::uint8_t>;
namespace fs = std::filesystem;

class DiskImageTest : public ::testing::Test {
protected:
    DiskImageTest() {
        std::string name = (fs::temp_directory_path() / "disk-image-XXXXXX").string();
        folder = mkdtemp(name.data());
        make_file(path, 64 * 1024);
    }
    ~DiskImageTest() override { fs::remove_all(folder); }

    void make_file(const fs::path& name, std::size_t size) const {
        Data data(size);
        std::iota(data.begin(), data.end(), std::uint8_t{0});
        std::ofstream{folder / name, std::ios::binary}.write(
            reinterpret_cast<const char*>(data.data()), static_cast<std::streamsize>(size));
    }

    Data file(const fs::path& name = "disk.img") const {
        std::ifstream in{folder / name, std::ios::binary};
        return {std::istreambuf_iterator<char>{in}, {}};
    }

    std::vector<Setting> with(std::vector<Setting> more = {}) const {
        more.emplace_back("path", (folder / path).string());
        return more;
    }

    fs::path folder, path = "disk.img";
};

// A user of the image that waits for each request.
class User {
public:
    explicit User(std::vector<Setting> settings)
        : bench{Declaration<DiskImage>::device_type(), std::move(settings)} {
        if (!bench.power_on()) failure = bench.failure();
        device = BlockDevice{bench.link("block")};
    }

    BlockResult run(BlockOperation operation, std::uint64_t offset, std::uint64_t length,
                    std::uint8_t* data = nullptr, std::uint32_t flags = 0) {
        const backplane_block_segment segment{data, length};
        const auto result = device.submit(
            operation, offset, length, std::span{&segment, data != nullptr ? 1u : 0u},
            [](void* user, std::int32_t value) {
                static_cast<User*>(user)->completed = static_cast<BlockResult>(value);
            },
            this, flags);
        if (result != BlockResult::Pending) return result;
        EXPECT_EQ(completed, BlockResult::Pending) << "never from within";
        device.wait();
        return std::exchange(completed, BlockResult::Pending);
    }

    Data read(std::uint64_t offset, std::uint64_t length) {
        Data data(length);
        EXPECT_EQ(run(BlockOperation::Read, offset, length, data.data()), BlockResult::Ok);
        return data;
    }
    BlockResult write(std::uint64_t offset, Data data, std::uint32_t flags = 0) {
        return run(BlockOperation::Write, offset, data.size(), data.data(), flags);
    }

    DeviceBench bench;
    BlockDevice device;
    BlockResult completed = BlockResult::Pending;
    std::string failure;
};

TEST_F(DiskImageTest, WritesReachTheFile) {
    User user{with()};
    EXPECT_EQ(user.device.info().size, 64u * 1024);
    EXPECT_EQ(user.write(512, Data(1024, 0xee), BACKPLANE_BLOCK_FORCE_ACCESS), BlockResult::Ok);
    EXPECT_EQ(user.run(BlockOperation::Flush, 0, 0), BlockResult::Ok);
    Data expected = file();
    EXPECT_EQ((Data{expected.begin() + 512, expected.begin() + 1536}), Data(1024, 0xee));
    EXPECT_EQ(expected[511], 0xff);
    EXPECT_EQ(user.read(0, 64 * 1024), expected);
    EXPECT_EQ(user.bench.statistic("bytes.written"), 1024u);
    EXPECT_EQ(user.bench.statistic("waited"), 2u) << "what the disk has to do is left to a thread";
}

TEST_F(DiskImageTest, WhatIsCopiedOnlyIsDoneAtOnce) {
    User user{with()};
    EXPECT_EQ(user.write(512, Data(32 << 10, 1)), BlockResult::Ok);
    EXPECT_EQ(user.read(512, 32 << 10), Data(32 << 10, 1));
    EXPECT_EQ(user.bench.statistic("waited"), 0u);
}

TEST_F(DiskImageTest, AFlushWithNothingToFlushIsDoneAtOnce) {
    User user{with()};
    auto waited_for_flush = [&, before = user.bench.statistic("waited")]() mutable {
        EXPECT_EQ(user.run(BlockOperation::Flush, 0, 0), BlockResult::Ok);
        return user.bench.statistic("waited") -
               std::exchange(before, user.bench.statistic("waited"));
    };
    EXPECT_EQ(waited_for_flush(), 1u) << "who had the file before may not have flushed it";
    EXPECT_EQ(waited_for_flush(), 0u);
    EXPECT_EQ(user.write(0, Data(512, 1)), BlockResult::Ok);
    EXPECT_EQ(waited_for_flush(), 1u);
    EXPECT_EQ(waited_for_flush(), 0u);
    EXPECT_EQ(user.run(BlockOperation::WriteZeroes, 0, 4096), BlockResult::Ok);
    (void)waited_for_flush();
    EXPECT_EQ(waited_for_flush(), 0u);
    EXPECT_EQ(user.bench.statistic("flushes"), 6u);
}

TEST_F(DiskImageTest, ResultsComeOnTheLoopWhenNobodyWaits) {
    User user{with()};
    Data data(512, 1);
    const backplane_block_segment segment{data.data(), data.size()};
    auto result = user.device.submit(
        BlockOperation::Write, 0, 512, std::span{&segment, 1},
        [](void* to, std::int32_t value) {
            static_cast<User*>(to)->completed = static_cast<BlockResult>(value);
        },
        &user, BACKPLANE_BLOCK_FORCE_ACCESS);
    EXPECT_EQ(result, BlockResult::Pending);
    constexpr int patience = 120'000;  // with a busy disk
    for (int tries = 0; tries < patience && user.completed == BlockResult::Pending; ++tries) {
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
        user.bench.host().run_posted();
    }
    EXPECT_EQ(user.completed, BlockResult::Ok);
}

TEST_F(DiskImageTest, ADeterministicMachineGetsEveryResultAtOnce) {
    User user{with()};
    User deterministic{with({{"read-only", true}, {"locking", false}})};
    // Its host refuses to watch files.
    DeviceBench bench{Declaration<DiskImage>::device_type(), with({{"locking", false}})};
    const_cast<backplane_host*>(bench.host().functions())->watch_readable =
        [](void*, int, void (*)(void*), void*) -> backplane_watch* { return nullptr; };
    ASSERT_TRUE(bench.power_on());
    const BlockDevice device{bench.link("block")};
    Data data(512, 9);
    const backplane_block_segment segment{data.data(), data.size()};
    EXPECT_EQ(
        device.submit(BlockOperation::Write, 0, 512, std::span{&segment, 1}, nullptr, nullptr),
        BlockResult::Ok);
    EXPECT_EQ(device.submit(BlockOperation::Flush, 0, 0, {}, nullptr, nullptr), BlockResult::Ok);
    EXPECT_EQ(file()[0], 9);
}

TEST_F(DiskImageTest, ScattersAndGathers) {
    User user{with()};
    Data a(512), b(1024);
    const std::array<backplane_block_segment, 2> segments{
        {{a.data(), a.size()}, {b.data(), b.size()}}};
    const auto result = user.device.submit(
        BlockOperation::Read, 512, 1536, segments, [](void*, std::int32_t) {}, nullptr);
    if (result == BlockResult::Pending) user.device.wait();
    const Data expected = file();
    EXPECT_EQ(a, (Data{expected.begin() + 512, expected.begin() + 1024}));
    EXPECT_EQ(b, (Data{expected.begin() + 1024, expected.begin() + 2048}));
}

TEST_F(DiskImageTest, BadRequestsAreRefused) {
    User user{with()};
    Data data(1024);
    for (const auto& [offset, length] :
         {std::pair{100u, 512u}, std::pair{0u, 100u}, std::pair{64u * 1024, 512u},
          std::pair{64u * 1024 - 512, 1024u}})
        EXPECT_EQ(user.run(BlockOperation::Read, offset, length, data.data()),
                  BlockResult::Invalid);
    EXPECT_EQ(user.run(BlockOperation::Read, ~std::uint64_t{511}, 1024, data.data()),
              BlockResult::Invalid);
    EXPECT_EQ(user.run(BlockOperation{77}, 0, 512, data.data()), BlockResult::Invalid);
}

TEST_F(DiskImageTest, ReadOnlyIsKept) {
    User user{with({{"read-only", true}})};
    EXPECT_TRUE(user.device.info().is_read_only());
    const Data before = file();
    EXPECT_EQ(user.write(0, Data(512, 1)), BlockResult::ReadOnly);
    EXPECT_EQ(user.run(BlockOperation::Discard, 0, 512), BlockResult::ReadOnly);
    EXPECT_EQ(user.run(BlockOperation::Flush, 0, 0), BlockResult::Ok);
    EXPECT_EQ(file(), before);
}

TEST_F(DiskImageTest, ASnapshotForgetsWhatWasWritten) {
    const Data before = file();
    Data expected = before;
    {
        User user{with({{"snapshot", true}})};
        // Within a page, across pages, and at the end.
        const auto write = [&](std::size_t offset, std::size_t length, std::uint8_t value) {
            EXPECT_EQ(user.write(offset, Data(length, value)), BlockResult::Ok);
            std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(offset), length, value);
        };
        write(512, 512, 0xa1);
        write(3584, 1024, 0xa2);
        write(63 * 1024, 1024, 0xa3);
        write(8192, 16384, 0xa4);
        EXPECT_EQ(user.run(BlockOperation::WriteZeroes, 1024, 512), BlockResult::Ok);
        std::fill_n(expected.begin() + 1024, 512, std::uint8_t{0});
        EXPECT_EQ(user.read(0, 64 * 1024), expected);
        EXPECT_EQ(user.read(3072, 2048), (Data{expected.begin() + 3072, expected.begin() + 5120}));
        EXPECT_EQ(file(), before);
    }
    EXPECT_EQ(file(), before);
}

TEST_F(DiskImageTest, ASnapshotCanGrowAndShrink) {
    User user{with({{"snapshot", true}})};
    EXPECT_EQ(user.write(60 * 1024, Data(4096, 0x55)), BlockResult::Ok);
    ASSERT_EQ(user.device.call<&backplane_block::resize>(std::uint64_t{61 * 1024}),
              BACKPLANE_BLOCK_OK);
    ASSERT_EQ(user.device.call<&backplane_block::resize>(std::uint64_t{80 * 1024}),
              BACKPLANE_BLOCK_OK);
    EXPECT_EQ(user.read(60 * 1024, 1024), Data(1024, 0x55));
    EXPECT_EQ(user.read(61 * 1024, 19 * 1024), Data(19 * 1024, 0)) << "what was cut off is gone";
    EXPECT_EQ(user.write(79 * 1024, Data(1024, 0x66)), BlockResult::Ok);
    EXPECT_EQ(user.read(79 * 1024, 1024), Data(1024, 0x66));
}

TEST_F(DiskImageTest, AFileOfAnOddSizeEndsWithZeroes) {
    make_file(path, 1000);
    User user{with()};
    EXPECT_EQ(user.device.info().size, 1024u);
    EXPECT_NE(user.bench.host().log_lines.at(0).text.find("1000 bytes"), std::string::npos);
    Data expected = file();
    expected.resize(1024);
    EXPECT_EQ(user.read(0, 1024), expected);
    EXPECT_EQ(user.write(512, Data(512, 0x42)), BlockResult::Ok);
    EXPECT_EQ(file().size(), 1024u);
    EXPECT_EQ(user.read(512, 512), Data(512, 0x42));
}

TEST_F(DiskImageTest, TwoWritersAreOneTooMany) {
    User first{with()};
    EXPECT_EQ(first.failure, "");
    User second{with()};
    EXPECT_NE(second.failure.find("is in use by another"), std::string::npos);
    User reader{with({{"read-only", true}})};
    EXPECT_NE(reader.failure.find("is being written"), std::string::npos);
    User careless{with({{"locking", false}})};
    EXPECT_EQ(careless.failure, "");
}

TEST_F(DiskImageTest, ReadersShare) {
    User first{with({{"read-only", true}})}, second{with({{"snapshot", true}})};
    EXPECT_EQ(first.failure, "");
    EXPECT_EQ(second.failure, "");
}

TEST_F(DiskImageTest, ErrorsNameTheFileAndTheReason) {
    const auto failure = [&](const fs::path& name) {
        return User{{{"path", (folder / name).string()}}}.failure;
    };
    EXPECT_NE(failure("none.img").find("none.img\": No such file or directory"), std::string::npos);
    EXPECT_NE(failure(".").find("Is a directory"), std::string::npos);
    EXPECT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
    EXPECT_NE(failure("pipe").find("neither a file nor a block device"), std::string::npos);
    EXPECT_EQ(User{std::vector<Setting>{}}.failure, "") << "no medium";
}

TEST_F(DiskImageTest, AFileThatShrankGivesErrorsNotZeroes) {
    User user{with()};
    fs::resize_file(folder / path, 4096);
    Data data(512);
    EXPECT_EQ(user.run(BlockOperation::Read, 8192, 512, data.data()), BlockResult::Failed);
    EXPECT_EQ(user.read(0, 512).size(), 512u);
    EXPECT_EQ(user.bench.statistic("failures"), 1u);
    EXPECT_NE(user.bench.host().log_lines.back().text.find("at byte 8192"), std::string::npos);
}

TEST_F(DiskImageTest, DiscardedBytesAreGivenBack) {
    make_file(path, 1 << 20);
    User user{with()};
    ASSERT_TRUE(user.device.info().can_discard());
    EXPECT_EQ(user.run(BlockOperation::Flush, 0, 0), BlockResult::Ok);
    EXPECT_EQ(user.run(BlockOperation::Discard, 0, 1 << 19), BlockResult::Ok);
    EXPECT_EQ(user.run(BlockOperation::WriteZeroes, 1 << 19, 4096, nullptr), BlockResult::Ok);
    EXPECT_EQ(user.read(1 << 19, 4096), Data(4096, 0));
    struct stat status{};
    ASSERT_EQ(stat((folder / path).c_str(), &status), 0);
    EXPECT_EQ(status.st_size, 1 << 20);
}

TEST_F(DiskImageTest, TheMediumChangesUnlessItIsLocked) {
    struct Drive {
        void medium_changed() { ++changes; }
        void eject_requested() { ++requests; }
        int changes = 0, requests = 0;
    } drive;
    make_file("other.img", 2048);
    User user{with()};
    const auto change = [&](const fs::path& name, int force = 0) {
        const std::string text = name.empty() ? "" : (folder / name).string();
        return user.device.call<&backplane_block::change_medium>(text.c_str(), force);
    };
    EXPECT_EQ(change("other.img"), BACKPLANE_BLOCK_REFUSED) << "nobody would notice";
    user.device.listen(drive);
    EXPECT_EQ(change("other.img"), BACKPLANE_BLOCK_OK);
    EXPECT_EQ(drive.changes, 1);
    EXPECT_EQ(user.device.info().size, 2048u);
    EXPECT_EQ(change("missing.img"), BACKPLANE_BLOCK_REFUSED);
    EXPECT_EQ(user.device.info().size, 2048u) << "the old one stays";
    user.device.lock_medium(true);
    EXPECT_EQ(change(""), BACKPLANE_BLOCK_REFUSED);
    EXPECT_EQ(drive.requests, 1);
    EXPECT_EQ(change("", 1), BACKPLANE_BLOCK_OK);
    EXPECT_FALSE(user.device.info().has_medium());
    Data data(512);
    EXPECT_EQ(user.run(BlockOperation::Read, 0, 512, data.data()), BlockResult::NoMedium);
    user.device.lock_medium(false);
    EXPECT_EQ(change("disk.img"), BACKPLANE_BLOCK_OK) << "its lock was given up";
    EXPECT_EQ(drive.changes, 3);
}

class FormatTest : public DiskImageTest {
protected:
    explicit FormatTest(const char* name = "disk.qcow2") { path = name; }

    void create(const fs::path& name, images::CreateOptions options = {}) const {
        options.format = images::format_by_name(name);
        if (options.size == 0 && options.backing.empty()) options.size = 4 << 20;
        const auto done = images::create_image(folder / name, options);
        ASSERT_TRUE(done) << done.error();
    }
};

TEST_F(FormatTest, WhatIsWrittenToAnImageThatGrowsLasts) {
    for (const char* name : {"disk.qcow2", "disk.vhd"}) {
        path = name;
        create(path);
        {
            User user{with()};
            ASSERT_EQ(user.failure, "");
            EXPECT_EQ(user.device.info().size, 4u << 20);
            EXPECT_LT(fs::file_size(folder / path), 1u << 20);
            EXPECT_EQ(user.write(1 << 20, Data(8192, 0xab)), BlockResult::Ok);
            EXPECT_EQ(user.write(3 << 20, Data(512, 0xcd), BACKPLANE_BLOCK_FORCE_ACCESS),
                      BlockResult::Ok);
            EXPECT_EQ(user.run(BlockOperation::WriteZeroes, (1 << 20) + 4096, 4096),
                      BlockResult::Ok);
        }
        User user{with({{"read-only", true}})};
        EXPECT_EQ(user.read(1 << 20, 4096), Data(4096, 0xab));
        EXPECT_EQ(user.read((1 << 20) + 4096, 4096), Data(4096, 0));
        EXPECT_EQ(user.read(3 << 20, 512), Data(512, 0xcd));
    }
}

TEST_F(FormatTest, NewPiecesAreMadeAtOnceWhereNothingLiesBelow) {
    create("base.qcow2");
    create(path);
    // A host that took long for the first write is not asked for another at once.
    const auto rest = [] { std::this_thread::sleep_for(Patience::rest); };
    User user{with()};
    EXPECT_EQ(user.write(1 << 20, Data(4096, 1)), BlockResult::Ok);
    rest();
    EXPECT_EQ(user.write(1 << 20, Data(4096, 2)), BlockResult::Ok);
    EXPECT_EQ(user.bench.statistic("waited"), 0u);
    EXPECT_EQ(user.read(1 << 20, 4096), Data(4096, 2));
    create("above.qcow2", {.backing = "base.qcow2"});
    path = "above.qcow2";
    User above{with()};
    EXPECT_EQ(above.write(1 << 20, Data(4096, 3)), BlockResult::Ok);
    EXPECT_EQ(above.bench.statistic("waited"), 1u) << "the rest of the piece comes from below";
    rest();
    EXPECT_EQ(above.write(1 << 20, Data(4096, 4)), BlockResult::Ok);
    EXPECT_EQ(above.bench.statistic("waited"), 1u);
}

TEST_F(FormatTest, ASnapshotAboveAnyImageForgetsWhatWasWritten) {
    create("base.qcow2");
    create(path, {.backing = "base.qcow2"});
    {
        User user{with()};
        EXPECT_EQ(user.write(512, Data(1024, 0x11)), BlockResult::Ok);
    }
    const Data before = file(path);
    {
        User user{with({{"snapshot", true}})};
        ASSERT_EQ(user.failure, "");
        EXPECT_EQ(user.write(1024, Data(1024, 0x22)), BlockResult::Ok);
        EXPECT_EQ(user.read(512, 512), Data(512, 0x11));
        EXPECT_EQ(user.read(1024, 1024), Data(1024, 0x22));
    }
    EXPECT_EQ(file(path), before);
}

TEST_F(FormatTest, TheFormatMustBeSaidWhereItIsNotClear) {
    create("other.qcow2");
    fs::copy_file(folder / "other.qcow2", folder / "disk.raw");
    path = "disk.raw";
    EXPECT_NE(User{with()}.failure.find("looks like a qcow2 image, but is not called so; say "
                                        "`format: qcow2` if it is one"),
              std::string::npos);
    EXPECT_EQ((User{with({{"format", "qcow2"}})}.device.info().size), 4u << 20);
    EXPECT_LT((User{with({{"format", "raw"}})}.device.info().size), 1u << 20);
}

TEST_F(FormatTest, AnImageSeesNoFilesOutsideItsFolder) {
    fs::create_directory(folder / "images");
    create("base.qcow2");
    path = "images/disk.qcow2";
    create(path, {.backing = "../base.qcow2"});
    EXPECT_NE(User{with()}.failure.find("backing-anywhere: true"), std::string::npos);
    EXPECT_EQ((User{with({{"backing-anywhere", true}})}.failure), "");
}

TEST_F(FormatTest, AHostThatHasNoRoomGivesErrors) {
    create(path);
    User user{with()};
    EXPECT_EQ(user.write(0, Data(4096, 1)), BlockResult::Ok);
    EXPECT_EQ(user.run(BlockOperation::Flush, 0, 0), BlockResult::Ok);
    // What a full file system would say, as far as it can be had without one.
    struct rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    const struct rlimit none{1 << 18, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
    const BlockResult result = user.write(2 << 20, Data(1 << 20, 2));
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)std::signal(SIGXFSZ, old_handler);
    EXPECT_EQ(result, BlockResult::NoSpace);
    EXPECT_EQ(user.read(0, 4096), Data(4096, 1));
    EXPECT_EQ(user.write(2 << 20, Data(4096, 3)), BlockResult::Ok) << "there is room again";
    EXPECT_EQ(user.read(2 << 20, 4096), Data(4096, 3));
}

}  // namespace
}  // namespace backplane::storage
