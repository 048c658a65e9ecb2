// A file or block device of the host. It is locked against others, QEMU among them: whoever writes
// is alone, readers may be many.
#pragma once

#include "images/byte_file.h"
#include "images/caching.h"
#include "images/direct_gate.h"

#include <atomic>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>

namespace backplane::images {

enum class FileAccess : std::uint8_t { ReadOnly, ReadWrite };
enum class Locking : bool { No, Yes };
enum class Existing : bool { IsAnError, IsOverwritten };

// Which file a path leads to, however it is written.
struct FileIdentity {
    std::uint64_t device = 0, inode = 0;
    bool operator==(const FileIdentity&) const = default;
};

class HostFile final : public ByteFile {
public:
    static std::expected<std::unique_ptr<HostFile>, std::string>
    open(const std::filesystem::path& path, FileAccess access, Locking locking,
         Caching caching = Caching::Writeback);
    // A new file, empty, locked. A block device that is to be overwritten keeps its size.
    static std::expected<std::unique_ptr<HostFile>, std::string>
    create(const std::filesystem::path& path, Existing existing);
    // A new file that nobody can open, gone with this object. TMPDIR says where; /var/tmp else.
    static std::expected<std::unique_ptr<HostFile>, std::string> temporary();

    ~HostFile() override;
    HostFile(const HostFile&) = delete;
    HostFile& operator=(const HostFile&) = delete;

    FileIdentity identity() const;
    bool is_device() const { return is_device_; }
    // What it takes of the host's disk.
    std::uint64_t allocated_size() const;

    std::uint64_t size() const override { return size_; }
    bool is_read_only() const override { return access_ == FileAccess::ReadOnly; }
    bool can_discard() const override { return !is_read_only() && can_discard_; }
    bool keeps_writes() const override { return !is_direct_; }
    int read(std::uint64_t offset, Segments segments, Waiting waiting) override;
    int write(std::uint64_t offset, Segments segments, Durability durability) override;
    bool begin_read(std::uint64_t offset, Segments segments, FileTask& task) override;
    bool begin_write(std::uint64_t offset, Segments segments, FileTask& task) override;
    int flush() override;
    int discard(std::uint64_t offset, std::uint64_t length) override;
    int write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) override;
    int resize(std::uint64_t size) override;
    int extent(std::uint64_t offset, std::uint64_t length, Extent& extent) override;

private:
    HostFile(int fd, FileAccess access) : fd_{fd}, access_{access} {}

    int write_plainly(std::uint64_t offset, Segments segments, int flags);
    std::string go_direct();
    bool is_aligned(std::uint64_t offset, Segments segments) const;
    template <class Move>
    int for_each_piece(std::uint64_t offset, Segments segments, Move move);
    int read_unaligned(std::uint64_t offset, Segments segments);
    int write_unaligned(std::uint64_t offset, Segments segments, int flags);
    int write_end(std::uint64_t offset, Segments segments, int flags);
    std::string lock() const;
    std::string find_size();
    bool is_gone() const;
    void has_grown_to(std::uint64_t end);

    int fd_;
    FileAccess access_;
    bool is_device_ = false;
    bool had_name_ = false;
    bool can_discard_ = true;
    bool is_unsafe_ = false, is_direct_ = false;
    std::uint32_t offset_alignment_ = 4096, memory_alignment_ = 4096;
    DirectGate gate_;  // of those who write past the host's memory
    std::atomic<std::uint64_t> size_ = 0;
    std::atomic<int> flush_error_ = 0;
};

}  // namespace backplane::images
