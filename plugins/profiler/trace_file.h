// A trace's file, compressed where its name ends with .gz. What was flushed can be read however the
// program ends: gzip complains about the end that is missing, and gives all that is in front of it.
#pragma once

#include "output_file.h"

#include <zlib.h>

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace backplane::profiler {

class TraceFile {
public:
    TraceFile();
    ~TraceFile();
    TraceFile(const TraceFile&) = delete;
    TraceFile& operator=(const TraceFile&) = delete;

    // Messages name the file.
    std::expected<void, std::string> open(const std::filesystem::path& path);
    // Writes and flushes.
    std::expected<void, std::string> write(std::string_view text);
    std::expected<void, std::string> close();

    // [any] In the file.
    std::uint64_t bytes() const { return file_.bytes(); }

private:
    std::expected<void, std::string> deflate(std::string_view text, int flush);

    OutputFile file_;
    std::unique_ptr<z_stream> stream_;  // null: not compressed
};

}  // namespace backplane::profiler
