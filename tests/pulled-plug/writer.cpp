// Runs in the guest: writes records to the disks that have a label, and files to their file
// systems, and says on the console which of them were synced. Its argument is the first number.
#include "record.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace pulled_plug;
namespace fs = std::filesystem;

// As one piece, so that the lines of several processes do not mix.
void say(const std::string& line) {
    const std::string whole = line + "\n";
    if (write(STDOUT_FILENO, whole.data(), whole.size()) < 0) _exit(1);
}

[[noreturn]] void fail(const std::string& what) {
    say("failed: " + what + ": " + strerror(errno));
    _exit(1);
}

struct Disk {
    std::string device, partition, name;
    std::uint64_t seed;
};

// Writes records of random places and lengths, and syncs after every few of them.
[[noreturn]] void write_records(const Disk& disk, std::uint64_t number) {
    const int buffered = open(disk.device.c_str(), O_RDWR);
    const int direct = open(disk.device.c_str(), O_RDWR | O_DIRECT);
    if (buffered < 0 || direct < 0) fail(disk.device);
    const std::unique_ptr<std::uint64_t, decltype(&free)> memory{
        static_cast<std::uint64_t*>(std::aligned_alloc(block_size, 64 * block_size)), free};
    for (;;) {
        const std::uint64_t last = number + mix(disk.seed, number) % 8;
        for (; number <= last; ++number) {
            const Record wanted = record(disk.seed, number);
            const std::uint64_t offset = (first_block + wanted.block) * block_size;
            const std::uint64_t length = wanted.count * block_size;
            if (wanted.kind == Kind::Zeroes) {
                std::uint64_t range[]{offset, length};
                // Linux refuses it where it has dirty pages and the disk is mounted.
                while (ioctl(buffered, BLKZEROOUT, range) != 0)
                    if (errno != EBUSY || fsync(buffered) != 0) fail(disk.name + ": BLKZEROOUT");
                continue;
            }
            for (std::uint64_t at = 0; at < wanted.count; ++at)
                std::fill_n(memory.get() + at * block_size / 8, block_size / 8,
                            block_word(number, wanted.block + at));
            const int file = wanted.kind == Kind::Direct ? direct : buffered;
            if (pwrite(file, memory.get(), length, static_cast<off_t>(offset)) !=
                static_cast<ssize_t>(length))
                fail(disk.name + ": write");
        }
        if (last % 2 == 0 ? fsync(buffered) : fdatasync(buffered)) fail(disk.name + ": fsync");
        say("records " + disk.name + " " + std::to_string(last));
    }
}

void write_file(const Disk& disk, int folder, std::uint64_t number) {
    const std::vector<std::uint64_t> words(file_words(disk.seed, number), number);
    const int file = openat(folder, std::to_string(number).c_str(), O_CREAT | O_WRONLY, 0644);
    const std::size_t size = words.size() * 8;
    if (file < 0 || write(file, words.data(), size) != static_cast<ssize_t>(size))
        fail(disk.name + ": file");
    // The file and its name, or the whole file system.
    if (number % 4 != 0 ? fsync(file) != 0 || fsync(folder) != 0 : syncfs(folder) != 0)
        fail(disk.name + ": sync");
    close(file);
}

// Keeps some hundred files, so that their space is used again and again.
[[noreturn]] void write_files(const Disk& disk, std::uint64_t number) {
    const std::string place = "/tmp/" + disk.name;
    mkdir(place.c_str(), 0755);
    if (mount(disk.partition.c_str(), place.c_str(), "ext4", 0, "errors=remount-ro") != 0)
        fail(disk.name + ": mount");
    std::vector<std::string> old;
    for (const auto& entry : fs::directory_iterator{place})
        if (entry.is_regular_file()) old.push_back(entry.path());
    const int folder = open(place.c_str(), O_RDONLY | O_DIRECTORY);
    for (const std::uint64_t first = number;; ++number) {
        write_file(disk, folder, number);
        say("files " + disk.name + " " + std::to_string(number));
        for (const std::string& path : old)
            unlink(path.c_str());
        old.clear();
        if (number >= first + 200) unlinkat(folder, std::to_string(number - 200).c_str(), 0);
    }
}

// The partition that Linux found on it.
std::string partition_of(const std::string& disk) {
    for (const auto& entry : fs::directory_iterator{"/sys/block/" + disk})
        if (fs::exists(entry.path() / "partition"))
            return "/dev/" + entry.path().filename().string();
    return {};
}

std::vector<Disk> find_disks() {
    std::vector<Disk> disks;
    for (const auto& entry : fs::directory_iterator{"/sys/block"}) {
        const std::string name = entry.path().filename();
        const int file = open(("/dev/" + name).c_str(), O_RDONLY);
        if (file < 0) continue;
        Label label{};
        const ssize_t count = pread(file, &label, sizeof label, label_offset);
        close(file);
        if (count == sizeof label && label.magic == label_magic)
            disks.push_back({"/dev/" + name, partition_of(name), label.name.data(), label.seed});
    }
    return disks;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 2) return 1;
    const std::uint64_t first = std::strtoull(arguments[1], nullptr, 10);
    const std::vector<Disk> disks = find_disks();
    for (const Disk& disk : disks) {
        if (disk.partition.empty()) fail(disk.name + ": no partition");
        if (fork() == 0) write_records(disk, first);
        if (fork() == 0) write_files(disk, first);
    }
    say("disks " + std::to_string(disks.size()));
    int status = 0;
    return wait(&status) < 0 || status != 0 ? 1 : 0;
}
