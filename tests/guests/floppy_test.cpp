// Debian's kernel with its driver for floppy drives: disks read, written and changed.
#include "support/guest_session.h"
#include "support/temp_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

class Floppy : public ::testing::Test {
protected:
    Floppy() {
        for (const auto& [disk, size] : {std::pair{disks_[0], 1'474'560}, {disks_[1], 737'280}}) {
            std::ofstream{disk};
            std::filesystem::resize_file(disk, static_cast<std::uintmax_t>(size));
        }
    }
    ~Floppy() override {
        for (const std::string& file : {disks_[0], disks_[1], socket_})
            std::filesystem::remove(file);
    }

    static void on_host(const std::string& command) {
        ASSERT_EQ(std::system((command + " > /dev/null 2>&1").c_str()), 0) << command;
    }

    void change_disk(GuestSession& session, const std::string& disk) const {
        on_host(std::string{paths::program} + " ctl " + socket_ + " change-medium floppy0-image '" +
                disk + "'");
        // In its first minutes Linux looks for a change only when it reads, and that fails.
        session.shell("head -c 1 /dev/fd0 >/dev/null");
    }

    std::vector<std::string> arguments() const {
        return {"--kernel", paths::floppy_kernel, "--initrd",  paths::floppy_initrd,
                "--append", "console=ttyS0",      "--control", "unix:" + socket_};
    }

    std::vector<std::string> disks_{temp_path("floppy0.img"), temp_path("floppy1.img")};
    std::string socket_ = temp_path("floppy.sock");
};

TEST_F(Floppy, LinuxKeepsFilesOnDisksThatChange) {
    on_host("mformat -i " + disks_[1] + " -f 720 ::");
    on_host("echo from the host | mcopy -i " + disks_[1] + " - ::/note");
    GuestSession session{"pc", arguments()};
    ASSERT_TRUE(session.expect(GuestSession::prompt, seconds{240})) << session.unread();
    EXPECT_THAT(session.shell("dmesg | grep -iE 'floppy|fdc'"),
                AllOf(HasSubstr("Floppy drive(s): fd0 is 1.44M"), HasSubstr("82077")));
    EXPECT_THAT(session.shell("dd if=/dev/fd0 of=/dev/null count=1"),
                HasSubstr("No such device or address"));

    change_disk(session, disks_[0]);
    session.shell("dd if=/dev/urandom of=/tmp/random bs=1k count=1440");
    EXPECT_THAT(session.shell("dd if=/tmp/random of=/dev/fd0 bs=18k conv=fsync"),
                HasSubstr("80+0 records out"));
    session.shell("echo 3 > /proc/sys/vm/drop_caches");
    EXPECT_EQ(session.shell("cmp /tmp/random /dev/fd0 && echo same"), "same\n");

    session.shell("mke2fs /dev/fd0");
    EXPECT_EQ(session.shell("mkdir /mnt; mount -t ext2 /dev/fd0 /mnt"), "");
    session.shell("for i in $(seq 50); do echo file $i > /mnt/f$i; done; rm /mnt/f1*");
    session.shell("head -c 700000 /tmp/random > /mnt/random");
    const std::string sum = session.shell("head -c 700000 /tmp/random | md5sum");
    session.shell("umount /mnt && mount -t ext2 /dev/fd0 /mnt");
    EXPECT_EQ(session.shell("md5sum < /mnt/random"), sum);
    EXPECT_EQ(session.shell("cat /mnt/f42; ls /mnt | wc -l; umount /mnt"), "file 42\n41\n");

    // The other disk is one of 720 KB, which the driver finds out.
    change_disk(session, disks_[1]);
    EXPECT_EQ(session.shell("mount -t vfat /dev/fd0 /mnt && cat /mnt/note"), "from the host\n");
    EXPECT_EQ(session.shell("cat /sys/block/fd0/size"), "1440\n");
    EXPECT_EQ(session.shell("echo from the guest > /mnt/answer; umount /mnt"), "");
    change_disk(session, "");
    EXPECT_THAT(session.shell("dd if=/dev/fd0 of=/dev/null count=1"),
                HasSubstr("No such device or address"));
    change_disk(session, disks_[0]);
    session.shell("mount -t ext2 /dev/fd0 /mnt");
    EXPECT_EQ(session.shell("md5sum < /mnt/random; umount /mnt"), sum);
    for (const char* word : {"timeout", "reset", "overrun", "BUG", "WARNING:", "nobody cared"})
        EXPECT_EQ(session.shell(std::string{"dmesg | grep '"} + word + "'"), "") << word;
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0) << session.unread();

    on_host("e2fsck -fn " + disks_[0]);
    on_host("fsck.fat -n " + disks_[1]);
    on_host("test \"$(mtype -i " + disks_[1] + " ::/answer)\" = 'from the guest'");
    on_host("test \"$(debugfs -R 'cat /f42' " + disks_[0] + ")\" = 'file 42'");
}

}  // namespace
}  // namespace backplane::test
