#include "trace_file.h"

#include <array>

namespace backplane::profiler {

TraceFile::TraceFile() = default;

TraceFile::~TraceFile() {
    if (stream_) deflateEnd(stream_.get());
}

std::expected<void, std::string> TraceFile::open(const std::filesystem::path& path) {
    if (auto opened = file_.open(path); !opened) return opened;
    if (path.extension() != ".gz") return {};
    constexpr int gzip_window = 15 + 16, memory_level = 8;
    stream_ = std::make_unique<z_stream>();
    if (deflateInit2(stream_.get(), Z_BEST_SPEED, Z_DEFLATED, gzip_window, memory_level,
                     Z_DEFAULT_STRATEGY) == Z_OK)
        return {};
    stream_.reset();
    return std::unexpected{"not enough memory to compress \"" + path.string() + "\""};
}

std::expected<void, std::string> TraceFile::write(std::string_view text) {
    return stream_ ? deflate(text, Z_SYNC_FLUSH) : file_.write(text);
}

std::expected<void, std::string> TraceFile::close() {
    std::expected<void, std::string> done;
    if (stream_) done = deflate({}, Z_FINISH);
    file_.close();
    return done;
}

std::expected<void, std::string> TraceFile::deflate(std::string_view text, int flush) {
    std::array<char, 64 << 10> buffer;
    // zlib's interface does not say const.
    stream_->next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream_->avail_in = static_cast<uInt>(text.size());
    do {
        stream_->next_out = reinterpret_cast<Bytef*>(buffer.data());
        stream_->avail_out = static_cast<uInt>(buffer.size());
        ::deflate(stream_.get(), flush);
        const std::size_t count = buffer.size() - stream_->avail_out;
        if (auto written = file_.write({buffer.data(), count}); !written) return written;
    } while (stream_->avail_out == 0);
    return {};
}

}  // namespace backplane::profiler
