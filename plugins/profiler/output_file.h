// A file that is written from its beginning to its end.
#pragma once

#include <atomic>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace backplane::profiler {

class OutputFile {
public:
    OutputFile() = default;
    ~OutputFile() { close(); }
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    // Messages name the file.
    std::expected<void, std::string> open(const std::filesystem::path& path);
    std::expected<void, std::string> write(std::string_view bytes);
    void close();

    bool is_open() const { return file_ >= 0; }
    // [any] As far as it is written.
    std::uint64_t bytes() const { return bytes_; }

private:
    std::filesystem::path path_;
    int file_ = -1;
    std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace backplane::profiler
