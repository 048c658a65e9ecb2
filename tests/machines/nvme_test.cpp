// NVMe disks in whole machines: firmware starts from them, and what Linux puts there is there
// afterwards.
#include "guests.h"
#include "support/guest_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

namespace backplane::test {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr seconds boot_limit{240};

// What a program of the host says.
std::string on_host(const std::string& command) {
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen((command + " 2>&1").c_str(), "r"),
                                                     pclose};
    std::string output;
    std::array<char, 4096> part;
    while (const std::size_t count = fread(part.data(), 1, part.size(), pipe.get()))
        output.append(part.data(), count);
    return output;
}

std::string empty_disk(const std::string& name, std::uintmax_t size) {
    const std::string path = temp_path(name);
    std::filesystem::remove(path);
    std::ofstream{path}.close();
    std::filesystem::resize_file(path, size);
    return path;
}

// A guest with the tools of ext4.
std::vector<std::string> disk_guest(std::vector<std::string> more) {
    more.insert(more.begin(), {"--kernel", paths::disks_kernel, "--initrd", paths::disks_initrd,
                               "--append", "console=ttyS0"});
    return more;
}

// At a prompt that takes long lines, and says nothing of background jobs.
bool reach_prompt(GuestSession& session) {
    if (!session.expect(GuestSession::prompt, boot_limit)) return false;
    session.shell("stty cols 500");
    session.shell("set +m");
    return true;
}

TEST(Nvme, SeaBiosAndGrubStartFromIt) {
    GuestSession session{"q35-nvme",
                         {"--disk", paths::guest_iso, "-p", "disk0-image.snapshot=true"}};
    ASSERT_TRUE(session.expect(GuestSession::prompt, boot_limit)) << session.unread();
    EXPECT_EQ(session.shell("ls /sys/block"), "nvme0n1\n") << "where else it might be from";
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0);
}

TEST(Nvme, UefiStartsFromIt) {
    GuestSession session{"q35-uefi",
                         {"-p", "nvme0.type=storage.nvme", "-p", "nvme0.slot=pci0@04.0", "-p",
                          "nvme0.image=nvme0-image", "-p", "nvme0-image.type=storage.image", "-p",
                          std::string{"nvme0-image.path="} + paths::guest_iso, "-p",
                          "nvme0-image.snapshot=true"}};
    ASSERT_TRUE(session.expect(GuestSession::prompt, boot_limit)) << session.unread();
    EXPECT_EQ(session.shell("ls /sys/block"), "nvme0n1\n");
}

// The machine is killed as soon as the guest's sync has returned.
TEST(Nvme, WhatLinuxHasSyncedIsInTheImage) {
    for (const char* block_size : {"512", "4096"}) {
        const std::string disk = empty_disk("disk.img", 256 << 20);
        std::string sums;
        {
            GuestSession session{
                "q35-nvme",
                disk_guest({"--disk", disk, "-p", std::string{"disk0.block-size="} + block_size})};
            ASSERT_TRUE(reach_prompt(session)) << session.unread();
            EXPECT_EQ(session.shell("cat /sys/block/nvme0n1/queue/logical_block_size"),
                      std::string{block_size} + "\n");
            EXPECT_EQ(session.shell("mkfs.ext4 -q /dev/nvme0n1 && mkdir /mnt && "
                                    "mount -t ext4 /dev/nvme0n1 /mnt"),
                      "");
            EXPECT_EQ(session.shell("for i in 1 2 3 4; do dd if=/dev/urandom of=/mnt/$i bs=3333 "
                                    "count=3000 2>/dev/null & done; wait"),
                      "");
            session.shell("mkdir /mnt/many; for i in $(seq 300); do echo $i >/mnt/many/$i; done");
            EXPECT_EQ(session.shell("sync; echo 3 >/proc/sys/vm/drop_caches"), "");
            sums = session.shell("cat /mnt/1 /mnt/2 /mnt/3 /mnt/4 | sha256sum; "
                                 "cat $(ls /mnt/many/* | sort) | sha256sum");
            EXPECT_EQ(session.shell("dmesg | grep -iE 'i/o error|nvme.*(timeout|abort|error)'"),
                      "");
            session.send_signal(SIGKILL);
            EXPECT_EQ(session.exit_code(), -SIGKILL);
        }
        EXPECT_THAT(on_host("e2fsck -fy " + disk), HasSubstr("Pass 5")) << "with its journal";
        EXPECT_EQ(on_host("e2fsck -fn " + disk + " >/dev/null 2>&1; echo $?"), "0\n");
        const std::string copy = temp_path("copy");
        std::filesystem::remove_all(copy);
        std::filesystem::create_directory(copy);
        on_host("debugfs -R 'rdump / " + copy + "' " + disk);
        EXPECT_EQ(on_host("cd " + copy +
                          " && cat 1 2 3 4 | sha256sum; "
                          "cat $(ls many/* | LC_ALL=C sort) | sha256sum"),
                  sums);
    }
}

TEST(Nvme, EachProcessorHasAQueueAndEachImageANamespace) {
    const std::string first = empty_disk("first.img", 64 << 20);
    const std::string second = empty_disk("second.img", 32 << 20);
    GuestSession session{"q35-smp",
                         disk_guest({"-p", "disk0.type=storage.nvme", "-p", "disk0.slot=pci0@04.0",
                                     "-p", "disk0.image=[disk0-image, disk1-image]", "-p",
                                     "disk1=null", "-p", "ahci0.port0=null", "-p",
                                     "ahci0.port1=null", "--disk", first, "--disk", second})};
    ASSERT_TRUE(reach_prompt(session)) << session.unread();
    EXPECT_THAT(session.shell("dmesg | grep queues"), HasSubstr("4/0/0 default/read/poll queues"));
    EXPECT_EQ(session.shell("cat /sys/block/nvme0n1/size /sys/block/nvme0n2/size"),
              "131072\n65536\n");
    // All processors, both namespaces, reading and writing.
    EXPECT_EQ(session.shell("for i in 0 1 2 3; do taskset $((1 << i)) sh -c \"dd if=/dev/zero "
                            "bs=64k count=64 2>/dev/null | tr '\\\\0' $i | dd of=/dev/nvme0n1 "
                            "bs=64k seek=$((i * 64)) 2>/dev/null; dd if=/dev/nvme0n1 bs=64k "
                            "skip=$((i * 64)) count=64 of=/dev/nvme0n2 seek=$((i * 64)) "
                            "2>/dev/null\" & done; wait; sync"),
              "");
    EXPECT_EQ(session.shell("blkdiscard /dev/nvme0n1 -o 33554432 -l 1048576"), "");
    EXPECT_EQ(session.shell("dmesg | grep -iE 'i/o error|nvme.*(timeout|abort|error)'"), "");
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0);
    for (const std::string& disk : {first, second}) {
        std::ifstream file{disk, std::ios::binary};
        std::string bytes(16 << 20, '\0');
        file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        for (std::size_t part = 0; part < 4; ++part)
            EXPECT_EQ(bytes.substr(part << 22, 1 << 22),
                      std::string(1 << 22, static_cast<char>('0' + part)))
                << disk << " " << part;
    }
}

// Linux takes its commands back and gives them again: not one of its reads may fail.
TEST(Nvme, IsResetWhileItIsUsed) {
    const std::string disk = empty_disk("disk.img", 64 << 20);
    GuestSession session{"q35-nvme", disk_guest({"--disk", disk})};
    ASSERT_TRUE(reach_prompt(session)) << session.unread();
    const std::string pci = "/sys/bus/pci/devices/0000:00:04.0/";
    const std::string read = "dd if=/dev/nvme0n1 of=/dev/null bs=64k count=100 2>/dev/null || "
                             "echo failed";
    for (const char* task : {"dd if=/dev/nvme0n1 of=/dev/null bs=4k iflag=direct",
                             "dd if=/dev/zero of=/dev/nvme0n1 bs=16k count=2000 oflag=direct"})
        session.shell(std::string{"(while "} + task + "; do :; done; echo over) >/tmp/log 2>&1 &");
    EXPECT_EQ(session.shell("for i in 1 2 3 4; do sleep 0.3; "
                            "echo 1 >/sys/class/nvme/nvme0/reset_controller; done"),
              "");
    EXPECT_EQ(session.shell("sleep 1; grep over /tmp/log; kill $(jobs -p); sleep 1"), "");
    EXPECT_EQ(session.shell("cat " + pci + "reset_method"), "flr\n");
    EXPECT_EQ(session.shell("echo 1 >" + pci + "reset; " + read), "");
    EXPECT_EQ(session.shell("echo 1 >" + pci + "remove; sleep 1; ls /sys/block"), "");
    EXPECT_EQ(session.shell("echo 1 >/sys/bus/pci/rescan; "
                            "until [ -b /dev/nvme0n1 ]; do sleep 1; done; " +
                            read),
              "");
    EXPECT_EQ(session.shell("dmesg | grep -iE 'i/o error|nvme.*(timeout|abort|error)'"), "");
}

TEST(Nvme, InterruptsByThePinWhereThereAreNoMessages) {
    const std::string disk = empty_disk("disk.img", 64 << 20);
    auto arguments = disk_guest({"-p", "nvme0.type=storage.nvme", "-p", "nvme0.slot=pci0@05.0",
                                 "-p", "nvme0.image=disk0-image", "-p", "disk0=null", "-p",
                                 "ide0.primary-master=null", "--disk", disk});
    *std::ranges::find(arguments, "console=ttyS0") += " pci=nomsi";
    GuestSession session{"pc", arguments};
    ASSERT_TRUE(reach_prompt(session)) << session.unread();
    EXPECT_EQ(
        session.shell("dd if=/dev/nvme0n1 of=/dev/null bs=64k count=500 2>/dev/null; echo $?"),
        "0\n");
    EXPECT_THAT(session.shell("grep nvme /proc/interrupts"), HasSubstr("IO-APIC"));
    EXPECT_EQ(session.shell("dmesg | grep -E 'nobody cared|nvme.*(timeout|polled)'"), "");
}

}  // namespace
}  // namespace backplane::test
