// Virtio disks in whole machines: firmware that boots from them, and Debian's kernel that keeps a
// file system on them.
#include "guests.h"
#include "support/guest_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace backplane::test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr seconds boot_limit{240};

// What a program of the host says.
std::string output_of(const std::string& command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen((command + " 2>&1").c_str(), "r"),
                                                     &pclose};
    std::string text;
    std::array<char, 4096> part{};
    while (const std::size_t count = std::fread(part.data(), 1, part.size(), pipe.get()))
        text.append(part.data(), count);
    return text;
}

TEST(VirtioDisk, SeaBiosBootsFromIt) {
    for (const char* transitional : {"true", "false"}) {
        GuestSession session{"q35-virtio",
                             {"--disk", paths::guest_iso, "-p", "disk0-image.snapshot=true", "-p",
                              std::string{"disk0.transitional="} + transitional}};
        ASSERT_TRUE(session.expect(GuestSession::prompt, boot_limit)) << session.unread();
    }
}

struct Variant {
    const char* name;
    const char* parameters;  // of the kernel
    const char* module;      // of virtio_pci
    std::vector<std::string> settings;
    const char* bits;  // that were agreed on: EVENT_IDX, -, -, VERSION_1, -, PACKED
};

class VirtioDiskOfLinux : public ::testing::TestWithParam<Variant> {};

INSTANTIATE_TEST_SUITE_P(
    Ways, VirtioDiskOfLinux,
    ::testing::Values(
        Variant{"PackedWithMessages", "", "", {}, "100101"},
        Variant{"SplitInFourQueues", "", "", {"disk0.packed=false", "disk0.queues=4"}, "100100"},
        Variant{"ModernWithThePin", "pci=nomsi", "", {"disk0.transitional=false"}, "100101"},
        Variant{"LegacyWithThePin", "pci=nomsi", "force_legacy=1", {}, "100000"}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST_P(VirtioDiskOfLinux, KeepsAFileSystem) {
    const std::string image = temp_path("disk.raw");
    std::filesystem::remove(image);
    std::ofstream{image}.close();
    std::filesystem::resize_file(image, 64 << 20);
    const Variant& variant = GetParam();
    std::vector<std::string> arguments{
        "--kernel", paths::disks_kernel,
        "--initrd", paths::disks_initrd,
        "--append", std::string{"console=ttyS0 "} + variant.parameters,
        "--disk",   image};
    for (const std::string& setting : variant.settings)
        arguments.insert(arguments.end(), {"-p", setting});
    GuestSession session{"q35-virtio", arguments};
    ASSERT_TRUE(session.expect(GuestSession::prompt, boot_limit)) << session.unread();
    EXPECT_EQ(
        session.shell(std::string{"modprobe -r virtio_pci; modprobe virtio_pci "} + variant.module),
        "");
    EXPECT_EQ(session.shell("cut -c30-35 /sys/bus/virtio/devices/*/features"),
              std::string{variant.bits} + "\n");
    EXPECT_EQ(session.shell("cat /sys/block/vda/serial; echo"), "disk0\n");
    EXPECT_EQ(session.shell("mkfs.ext4 -q /dev/vda && mkdir /disk && mount /dev/vda /disk"), "");
    // Each command fits a line of the terminal, so that its echo does.
    session.shell("dd if=/dev/urandom of=/disk/random bs=64k count=200");
    EXPECT_EQ(session.shell("echo kept by the host >/disk/note; sync"), "");
    const std::string sum = session.shell("sha1sum </disk/random");
    EXPECT_THAT(sum, MatchesRegex("[0-9a-f]{40}  -\n"));
    // Away with what is cached: it comes from the disk now.
    EXPECT_EQ(session.shell("echo 3 >/proc/sys/vm/drop_caches"), "");
    EXPECT_EQ(session.shell("sha1sum </disk/random"), sum);
    EXPECT_THAT(session.shell("rm /disk/random; fstrim -v /disk"), HasSubstr("bytes trimmed"));
    session.shell("dd if=/dev/zero of=/disk/zeroes bs=1M count=8");
    EXPECT_EQ(session.shell("sync"), "");
    for (const char* word :
         {"I/O error", "BUG", "WARNING:", "Oops", "nobody cared", "EXT4-fs error"})
        EXPECT_EQ(session.shell(std::string{"dmesg | grep '"} + word + "'"), "") << word;
    EXPECT_EQ(session.shell("umount /disk"), "");
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0);

    EXPECT_THAT(output_of("e2fsck -f -n " + image), HasSubstr("5: Checking group summary"));
    EXPECT_EQ(std::system(("e2fsck -f -n " + image + " >/dev/null 2>&1").c_str()), 0);
    EXPECT_THAT(output_of("debugfs -R 'cat /note' " + image), HasSubstr("kept by the host\n"));
    EXPECT_THAT(output_of("debugfs -R 'stat /zeroes' " + image), HasSubstr("Size: 8388608"));
    std::filesystem::remove(image);
}

}  // namespace
}  // namespace backplane::test
