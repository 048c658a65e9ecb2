// The host file behind flash memory: read once, then kept up with what the guest changes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <span>
#include <string>

namespace backplane::firmware {

class FlashFile {
public:
    enum class Mode : std::uint8_t { ReadOnly, ReadWrite };

    FlashFile() = default;
    // Errors are predicates: "cannot be opened: Permission denied". With a template, a file that is
    // not there becomes a copy of it.
    static std::expected<FlashFile, std::string>
    open(const std::filesystem::path& path, const std::filesystem::path& initial, Mode mode);
    FlashFile(FlashFile&& other) noexcept;
    FlashFile& operator=(FlashFile&& other) noexcept;
    ~FlashFile();

    std::uint64_t size() const { return size_; }
    std::expected<void, std::string> read(std::span<std::byte> content) const;
    std::expected<void, std::string> write(std::uint64_t offset,
                                           std::span<const std::byte> bytes) const;
    // What was written is on stable storage.
    std::expected<void, std::string> flush() const;

private:
    FlashFile(int fd, std::uint64_t size) : fd_{fd}, size_{size} {}

    int fd_ = -1;
    std::uint64_t size_ = 0;
};

}  // namespace backplane::firmware
