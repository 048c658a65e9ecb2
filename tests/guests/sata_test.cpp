// Debian's kernel with its driver for AHCI: file systems, errors, and disks that come and go.
#include "support/guest_session.h"
#include "support/temp_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace backplane::test {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::uintmax_t disk_size = 64 << 20;

class Sata : public ::testing::Test {
protected:
    Sata() {
        for (const std::string& disk : disks_) {
            std::ofstream{disk};
            std::filesystem::resize_file(disk, disk_size);
        }
    }
    ~Sata() override {
        for (const std::string& file : {disks_[0], disks_[1], socket_})
            std::filesystem::remove(file);
    }

    std::vector<std::string> arguments(const std::vector<std::string>& more) const {
        std::vector<std::string> all{
            "--kernel",      paths::sata_kernel, "--initrd",        paths::sata_initrd, "--append",
            "console=ttyS0", "--control",        "unix:" + socket_, "--disk",           disks_[0]};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    }

    // In the text on one line.
    static std::string words(std::string text) {
        std::ranges::replace(text, '\n', ' ');
        return text;
    }

    // Linux looks at all ports at once, and gives names in the order in which they answer.
    static std::string device_at(GuestSession& session, unsigned port) {
        const std::string name = session.shell("ls /sys/devices/pci*/*/ata" + std::to_string(port) +
                                               "/h*/t*/*/block");
        return "/dev/" + name.substr(0, name.find('\n'));
    }

    void change_medium(const std::string& arguments) const {
        const std::string command = std::string{paths::program} + " ctl " + socket_ +
                                    " change-medium " + arguments + " > /dev/null";
        ASSERT_EQ(std::system(command.c_str()), 0) << command;
    }

    std::vector<std::string> disks_{temp_path("sata0.img"), temp_path("sata1.img")};
    std::string socket_ = temp_path("sata.sock");
};

TEST_F(Sata, LinuxKeepsFilesOnADiskAndReadsACd) {
    GuestSession session{
        "q35", arguments({"--disk", disks_[1], "--cdrom", disks_[1], "-p",
                          "cdrom0-image.locking=false", "-p", "disk1-image.locking=false"})};
    ASSERT_TRUE(session.expect(GuestSession::prompt, seconds{240})) << session.unread();
    EXPECT_THAT(session.shell("dmesg | grep -E 'ata[123]'"),
                AllOf(HasSubstr("ata1: SATA link up 3.0 Gbps"), HasSubstr("NCQ (depth 32)"),
                      HasSubstr("ata3.00: ATAPI: CD-ROM")));
    const std::string first = device_at(session, 1), second = device_at(session, 2);
    ASSERT_THAT(first, HasSubstr("/dev/sd"));
    ASSERT_THAT(second, HasSubstr("/dev/sd"));
    session.shell("mke2fs " + first + " && mkdir /mnt && mount -t ext4 " + first + " /mnt");
    session.shell("dd if=/dev/urandom of=/mnt/random bs=1M count=8");
    session.shell("for i in $(seq 300); do echo file $i > /mnt/f$i; done; rm /mnt/f1*; sync");
    const std::string sum = session.shell("md5sum < /mnt/random");
    session.shell("umount /mnt && mount -t ext4 " + first + " /mnt");
    EXPECT_EQ(session.shell("md5sum < /mnt/random"), sum);
    EXPECT_EQ(session.shell("cat /mnt/f234; ls /mnt/f* | wc -l"), "file 234\n189\n");
    EXPECT_THAT(session.shell("fstrim -v /mnt"), HasSubstr("trimmed"));
    session.shell("umount /mnt");

    // A pattern that the host looks for where the guest put it, and that the CD drive sees too.
    session.shell("yes backplane | dd of=" + second +
                  " bs=64k count=128 iflag=fullblock oflag=direct");
    session.shell("sync; echo 3 > /proc/sys/vm/drop_caches");
    for (const std::string& device : {second, std::string{"/dev/sr0"}})
        EXPECT_EQ(session.shell("head -c 8388608 " + device + " | md5sum"),
                  "29a2b26745a0541f123587747bd1ad00  -\n");
    EXPECT_EQ(session.shell("dmesg | grep -iE 'exception|failed command|timeout|hard resetting'"),
              "");
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0) << session.unread();
    std::ifstream disk{disks_[1], std::ios::binary};
    std::string text(8 << 20, '\0');
    disk.read(text.data(), static_cast<std::streamsize>(text.size()));
    std::string expected;
    while (expected.size() < text.size())
        expected += "backplane\n";
    expected.resize(text.size());
    EXPECT_TRUE(text == expected);
    if (std::system("command -v e2fsck > /dev/null") == 0) {
        EXPECT_EQ(std::system(("e2fsck -fn " + disks_[0] + " > /dev/null 2>&1").c_str()), 0);
    }
}

TEST_F(Sata, LinuxSeesDisksComeAndGo) {
    std::ofstream{disks_[1], std::ios::in | std::ios::binary} << "the second disk";
    GuestSession session{"q35", arguments({})};
    ASSERT_TRUE(session.expect(GuestSession::prompt, seconds{240})) << session.unread();
    EXPECT_THAT(session.shell("cat /proc/partitions"), ::testing::Not(HasSubstr("sdb")));
    change_medium("disk1-image " + disks_[1]);
    EXPECT_EQ(session.shell("until [ -b /dev/sdb ]; do sleep 1; done; head -c 15 /dev/sdb; echo"),
              "the second disk\n");
    change_medium("disk1-image ''");
    EXPECT_EQ(session.shell("while [ -b /dev/sdb ]; do sleep 1; done; echo gone"), "gone\n");
    change_medium("disk1-image " + disks_[1]);
    EXPECT_EQ(words(session.shell("until [ -b /dev/sd[bc] ]; do sleep 1; done; head -c 15 "
                                  "/dev/sd[bc]")),
              "the second disk");
    EXPECT_EQ(session.shell("dmesg | grep -c 'SATA link up'"), "4\n");
}

}  // namespace
}  // namespace backplane::test
