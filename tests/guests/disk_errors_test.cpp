// What the host refuses reaches Linux as an error, at each kind of controller, and nothing else
// happens: no crash, and no silence.
#include "support/guest_session.h"
#include "support/temp_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <array>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace backplane::test {
namespace {

using std::chrono::seconds;
using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr std::uint32_t bad_offset = 32 << 20;

// The host's kernel answers for reading and writing behind `bad_offset`, and for io_uring, without
// doing it.
void have_a_bad_area() {
    const auto load = [](std::size_t offset) {
        return sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset));
    };
    const auto answer = [](int error) {
        return sock_filter BPF_STMT(BPF_RET | BPF_K,
                                    SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error));
    };
    const auto jump = [](std::uint16_t how, std::uint32_t value, std::uint8_t yes,
                         std::uint8_t no) {
        return sock_filter BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | how | BPF_K), value, yes,
                                    no);
    };
    sock_filter program[] = {
        load(offsetof(seccomp_data, nr)),
        jump(BPF_JEQ, SYS_io_uring_setup, 5, 0),
        jump(BPF_JEQ, SYS_preadv2, 1, 0),
        jump(BPF_JEQ, SYS_pwritev2, 0, 2),
        load(offsetof(seccomp_data, args[3])),
        jump(BPF_JGE, bad_offset, 2, 0),
        sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        answer(ENOSYS),
        answer(EIO),
    };
    const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        _exit(126);
}

void have_small_files() {
    const rlimit limit{bad_offset, bad_offset};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(126);
}

class DiskErrors : public ::testing::Test {
protected:
    DiskErrors() {
        for (const std::string& disk : disks_) {
            std::ofstream{disk};
            std::filesystem::resize_file(disk, 2 * bad_offset);
        }
    }
    ~DiskErrors() override {
        for (const std::string& disk : disks_)
            std::filesystem::remove(disk);
    }

    std::vector<std::string> arguments() const {
        std::vector<std::string> all{"--kernel", paths::all_disks_kernel,
                                     "--initrd", paths::all_disks_initrd,
                                     "--append", "console=ttyS0 quiet"};
        for (std::size_t at = 0; at < disks_.size(); ++at) {
            all.emplace_back("-p");
            all.push_back(std::string{controllers[at]} + "-image.path=" + disks_[at]);
        }
        return all;
    }

    bool reach_prompt(GuestSession& session) {
        if (!session.expect(GuestSession::prompt, seconds{240})) return false;
        session.shell("stty cols 500");
        session.shell("dmesg -n 1");
        // Linux looks for both at once, and which of them is first differs.
        const bool sata_is_first =
            session.shell("readlink -f /sys/block/sda").find("/0000:00:1f.2/") != std::string::npos;
        devices_[2] = sata_is_first ? "/dev/sda" : "/dev/sdb";
        devices_[3] = sata_is_first ? "/dev/sdb" : "/dev/sda";
        return true;
    }

    // What dd says last: how much it has moved, or why it has not.
    static std::string last_words(GuestSession& session, const std::string& dd) {
        return session.shell("dd " + dd + " 2>&1 | grep -v records | tail -n 1");
    }

    static constexpr const char* machine = "../tests/pulled-plug/machine";
    static constexpr const char* controllers[] = {"virtio0", "nvme0", "sata0", "ide0"};
    // The guest's names of the disks at these controllers.
    std::array<std::string, 4> devices_{"/dev/vda", "/dev/nvme0n1"};
    std::vector<std::string> disks_{temp_path("virtio.img"), temp_path("nvme.img"),
                                    temp_path("sata.img"), temp_path("ide.img")};
};

const auto is_refused = AnyOf(HasSubstr("Input/output error"), HasSubstr("No space left"));

// As a full disk, but without one.
TEST_F(DiskErrors, AFileThatCannotGrowRefusesWritingAndNothingElse) {
    GuestSession session{machine, arguments(), Input::Terminal, have_small_files};
    ASSERT_TRUE(reach_prompt(session)) << session.unread();
    for (const std::string& device : devices_) {
        const std::string direct = "if=/dev/urandom bs=64k count=2 oflag=direct of=" + device;
        EXPECT_EQ(last_words(session, direct + " seek=4"), "") << device;
        EXPECT_THAT(last_words(session, direct + " seek=768"), is_refused) << device;
        EXPECT_THAT(
            last_words(session, "if=/dev/urandom bs=64k count=2 conv=fsync seek=768 of=" + device),
            is_refused)
            << device << ": the guest's cache";
        EXPECT_EQ(last_words(session, direct + " seek=8"), "") << device << ": it still works";
        EXPECT_EQ(last_words(session, "of=/dev/null bs=1M if=" + device), "") << device;
    }
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0) << session.unread();
}

TEST_F(DiskErrors, ABadAreaRefusesReadingAndWriting) {
    GuestSession session{machine, arguments(), Input::Terminal, have_a_bad_area};
    ASSERT_TRUE(reach_prompt(session)) << session.unread();
    for (const std::string& device : devices_) {
        const std::string reads = "bs=64k count=2 iflag=direct of=/dev/null if=" + device;
        EXPECT_EQ(last_words(session, reads), "") << device;
        EXPECT_THAT(last_words(session, reads + " skip=640"), HasSubstr("Input/output error"))
            << device;
        const std::string writes = "bs=64k count=2 oflag=direct if=/dev/zero of=" + device;
        EXPECT_THAT(last_words(session, writes + " seek=640"), HasSubstr("Input/output error"))
            << device;
        EXPECT_EQ(last_words(session, writes), "") << device << ": it still works";
    }
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0) << session.unread();
}

// Linux does not go on with a file system of which it cannot make anything stable.
TEST_F(DiskErrors, ADeletedFileRefusesToBeSynced) {
    for (const std::string& disk : disks_)
        ASSERT_EQ(std::system(("mke2fs -q -t ext4 " + disk).c_str()), 0);
    GuestSession session{machine, arguments()};
    ASSERT_TRUE(reach_prompt(session)) << session.unread();
    for (std::size_t at = 0; at < disks_.size(); ++at) {
        const std::string& device = devices_[at];
        session.shell("mkdir -p /mnt && mount -t ext4 -o errors=remount-ro " + device + " /mnt");
        const std::string write = "if=/dev/zero of=/mnt/file bs=64k count=2 conv=fsync";
        EXPECT_EQ(last_words(session, write), "") << device;
        std::filesystem::remove(disks_[at]);
        EXPECT_THAT(last_words(session, write), HasSubstr("Input/output error")) << device;
        EXPECT_THAT(session.shell("sleep 1; touch /mnt/other; sync; touch /mnt/more"),
                    HasSubstr("Read-only file system"))
            << device;
        EXPECT_THAT(session.shell("umount /mnt && echo unmounted"), HasSubstr("unmounted"))
            << device;
    }
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0) << session.unread();
}

TEST_F(DiskErrors, AFileThatWasCutOffRefusesToBeRead) {
    GuestSession session{machine, arguments()};
    ASSERT_TRUE(reach_prompt(session)) << session.unread();
    for (std::size_t at = 0; at < disks_.size(); ++at) {
        const std::string& device = devices_[at];
        const std::string reads = "bs=64k count=2 iflag=direct of=/dev/null if=" + device;
        EXPECT_EQ(last_words(session, reads + " skip=640"), "") << device;
        std::filesystem::resize_file(disks_[at], bad_offset);
        EXPECT_THAT(last_words(session, reads + " skip=640"), HasSubstr("Input/output error"))
            << device;
        EXPECT_EQ(last_words(session, reads), "") << device;
    }
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0) << session.unread();
}

}  // namespace
}  // namespace backplane::test
