#include "profile/host_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <new>

namespace backplane::profile {
namespace {

class Descriptor {
public:
    explicit Descriptor(int descriptor) : descriptor_{descriptor} {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (descriptor_ >= 0) close(descriptor_);
    }
    int get() const { return descriptor_; }
    explicit operator bool() const { return descriptor_ >= 0; }

private:
    int descriptor_;
};

std::unexpected<std::string> failure(const char* doing, const std::filesystem::path& file,
                                     int error) {
    return std::unexpected{fmt::format("cannot {} {}: {}", doing, file.string(), strerror(error))};
}

}  // namespace

std::expected<std::string, std::string> read_host_file(const std::filesystem::path& file) {
    const Descriptor input{open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!input) return failure("open", file, errno);
    std::string content;
    constexpr std::size_t piece = std::size_t{1} << 20;
    for (;;) {
        const std::size_t before = content.size();
        content.resize(before + piece);
        const ssize_t count = read(input.get(), content.data() + before, piece);
        content.resize(before + static_cast<std::size_t>(count > 0 ? count : 0));
        if (count == 0) return content;
        if (count < 0 && errno != EINTR) return failure("read", file, errno);
    }
}

std::string gzip(std::string_view content) {
    z_stream stream{};
    constexpr int window_bits = 15, with_gzip_header = 16, memory_level = 8;
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits | with_gzip_header,
                     memory_level, Z_DEFAULT_STRATEGY) != Z_OK)
        throw std::bad_alloc{};
    std::string packed;
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
    std::size_t left = content.size();
    int state = Z_OK;
    while (state != Z_STREAM_END) {
        constexpr std::size_t piece = std::size_t{1} << 18;
        if (stream.avail_in == 0 && left != 0) {
            stream.avail_in = static_cast<uInt>(std::min<std::size_t>(left, 1u << 30));
            left -= stream.avail_in;
        }
        const std::size_t before = packed.size();
        packed.resize(before + piece);
        stream.next_out = reinterpret_cast<Bytef*>(packed.data() + before);
        stream.avail_out = piece;
        state = deflate(&stream, left == 0 ? Z_FINISH : Z_NO_FLUSH);
        packed.resize(before + piece - stream.avail_out);
    }
    deflateEnd(&stream);
    return packed;
}

}  // namespace backplane::profile
