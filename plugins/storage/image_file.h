// A file or block device of the host, byte for byte. It is locked against others: whoever writes is
// alone, readers may be many. (Open file description locks, which QEMU's tools respect too.)
//
// A file whose size is not a multiple of 512 ends with a sector that reads as zeroes from the
// file's end on; writing that sector makes the file longer.
#pragma once

#include "image_storage.h"

#include <expected>
#include <filesystem>
#include <memory>
#include <string>

namespace backplane::storage {

enum class FileAccess : std::uint8_t { ReadOnly, ReadWrite };
enum class Locking : bool { No, Yes };

class ImageFile final : public ImageStorage {
public:
    static std::expected<std::unique_ptr<ImageFile>, std::string>
    open(const std::filesystem::path& path, FileAccess access, Locking locking);
    // A new file that nobody can open, gone with this object. TMPDIR says where; /var/tmp else.
    static std::expected<std::unique_ptr<ImageFile>, std::string> temporary();

    ~ImageFile() override;
    ImageFile(const ImageFile&) = delete;
    ImageFile& operator=(const ImageFile&) = delete;

    // The size of the file itself.
    std::uint64_t file_size() const { return file_size_; }

    std::uint64_t size() const override { return (file_size_ + 511) / 512 * 512; }
    bool is_read_only() const override { return access_ == FileAccess::ReadOnly; }
    bool can_discard() const override { return !is_read_only() && can_discard_; }
    int read(std::uint64_t offset, Segments segments, Waiting waiting) override;
    int write(std::uint64_t offset, Segments segments, Durability durability) override;
    int flush() override;
    int discard(std::uint64_t offset, std::uint64_t length) override;
    int write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) override;
    int resize(std::uint64_t size) override;

private:
    ImageFile(int fd, FileAccess access) : fd_{fd}, access_{access} {}

    std::string lock() const;
    std::string find_size();

    int fd_;
    FileAccess access_;
    bool is_device_ = false;
    bool can_discard_ = true;
    std::uint64_t file_size_ = 0;
};

}  // namespace backplane::storage
