// PCs from the reset vector on: Debian's firmware, GRUB, and Debian's kernel from an IDE drive. And
// without all that.
#include "guests.h"
#include "support/guest_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace backplane::test {
namespace {

using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr seconds boot_limit{240};

std::vector<std::string> cd(std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--cdrom", paths::guest_iso});
    return more;
}

void expect_no_complaints(GuestSession& session) {
    for (const char* word : {"BUG", "WARNING:", "Oops", "irmware .ug", "ACPI.*rror", "nobody cared",
                             "spurious", "unchecked MSR", "can.t claim", "conflict"})
        EXPECT_EQ(session.shell(std::string{"dmesg | grep -E '"} + word + "'"), "") << word;
}

TEST(PcBoot, SeaBiosFindsNothingToBoot) {
    GuestSession session{"pc", {"-p", "serial0.stream=null", "-p", "bios-log.stream=console"}};
    ASSERT_TRUE(session.expect("Running on QEMU (i440fx)")) << session.unread();
    ASSERT_TRUE(session.expect("PS2 keyboard initialized")) << session.unread();
    ASSERT_TRUE(session.expect("No bootable device.")) << session.unread();
}

TEST(PcBoot, FromCdWithSeaBiosOnTheOldChipSet) {
    GuestSession session{"pc", cd({"-m", "3584M"})};
    ASSERT_TRUE(session.expect(GuestSession::prompt, boot_limit)) << session.unread();
    expect_no_complaints(session);
    EXPECT_THAT(session.shell("cat /proc/interrupts"),
                AllOf(HasSubstr("IO-APIC"), HasSubstr("ERR:          0")));
    EXPECT_THAT(session.shell("free -m"), HasSubstr("Mem:"));
    EXPECT_THAT(session.shell("cat /sys/bus/pci/devices/*/modalias"),
                AllOf(HasSubstr("pci:v00008086d00001237"), HasSubstr("pci:v00008086d00007010"),
                      HasSubstr("pci:v00001234d00001111")));
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0);
    EXPECT_THAT(session.unread(), HasSubstr("ACPI S5"));
}

TEST(PcBoot, FromDiskWithSeaBiosOnQ35AndAgainAfterAReset) {
    // The image boots as a disk too; what a guest writes goes elsewhere.
    GuestSession session{"q35", {"--disk", paths::guest_iso, "-p", "disk0-image.snapshot=true"}};
    ASSERT_TRUE(session.expect(GuestSession::prompt, boot_limit)) << session.unread();
    expect_no_complaints(session);
    EXPECT_THAT(session.shell("dmesg | grep -i mmconfig"), HasSubstr("0xb0000000"));
    session.type("reboot -f\r");
    ASSERT_TRUE(session.expect("GNU GRUB", boot_limit)) << session.unread();
    ASSERT_TRUE(session.expect(GuestSession::prompt, boot_limit)) << session.unread();
}

TEST(PcBoot, FromCdWithUefi) {
    const std::string variables = temp_path("variables.fd");
    std::filesystem::remove(variables);
    GuestSession session{"q35-uefi", cd({"-p", "vars0.file=" + variables})};
    ASSERT_TRUE(session.expect(GuestSession::prompt, boot_limit)) << session.unread();
    expect_no_complaints(session);
    EXPECT_THAT(session.shell("dmesg | grep 'efi:'"), HasSubstr("EFI v2"));
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0);
    EXPECT_EQ(std::filesystem::file_size(variables), 540672U);
}

TEST(PcBoot, FromDiskWithUefiOn440fx) {
    GuestSession session{"pc-uefi",
                         {"--disk", paths::guest_iso, "-p", "disk0-image.snapshot=true"}};
    ASSERT_TRUE(session.expect(GuestSession::prompt, boot_limit)) << session.unread();
    expect_no_complaints(session);
    EXPECT_THAT(session.shell("dmesg | grep -E 'efi:|serio:'"),
                AllOf(HasSubstr("EFI v2"), HasSubstr("KBD port"), HasSubstr("AUX port")));
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0);
}

TEST(PcBoot, AKernelInPlaceOfSeaBiosAndAgainAfterAReset) {
    GuestSession session{"pc", linux_guest("")};
    ASSERT_TRUE(session.expect(GuestSession::prompt, boot_limit)) << session.unread();
    session.type("reboot -f\r");
    ASSERT_TRUE(session.expect("Linux version", boot_limit)) << session.unread();
    ASSERT_TRUE(session.expect(GuestSession::prompt, boot_limit)) << session.unread();
    expect_no_complaints(session);
    EXPECT_THAT(session.shell("cat /proc/interrupts"),
                AllOf(HasSubstr("IO-APIC"), HasSubstr("acpi"), HasSubstr("ERR:          0")));
    EXPECT_THAT(session.shell("dmesg | grep -E 'RSDP|claimed|configured for'"),
                AllOf(HasSubstr("RSDP 0x000000000009FC10"), HasSubstr("claimed by PIIX4 ACPI"),
                      HasSubstr("LNKA configured for IRQ 10")));
    EXPECT_THAT(session.shell("cat /sys/bus/pci/devices/*/modalias"),
                AllOf(HasSubstr("pci:v00008086d00001237"), HasSubstr("pci:v00008086d00007010"),
                      HasSubstr("pci:v00001234d00001111")));
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0);
    EXPECT_THAT(session.unread(), HasSubstr("ACPI S5"));
}

TEST(PcBoot, AKernelInPlaceOfTheFirmwareWithFourCpus) {
    GuestSession session{"q35-smp", linux_guest("", {"-m", "3G"})};
    ASSERT_TRUE(session.expect(GuestSession::prompt, boot_limit)) << session.unread();
    EXPECT_EQ(session.shell("nproc"), "4\n");
    expect_no_complaints(session);
    EXPECT_THAT(session.shell("dmesg | grep MMCONFIG"),
                HasSubstr("[mem 0xb0000000-0xbfffffff] reserved in ACPI motherboard resources"));
    session.type("poweroff -f\r");
    EXPECT_EQ(session.exit_code(), 0);
    EXPECT_THAT(session.unread(), HasSubstr("ACPI S5"));
}

TEST(PcBoot, FourCpusOnEitherChipSet) {
    for (const char* machine : {"pc-smp", "q35-smp"}) {
        GuestSession session{machine, cd()};
        ASSERT_TRUE(session.expect(GuestSession::prompt, boot_limit)) << session.unread();
        EXPECT_EQ(session.shell("nproc"), "4\n");
        expect_no_complaints(session);
    }
}

}  // namespace
}  // namespace backplane::test
