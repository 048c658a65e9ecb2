#include "images/qcow2/compression.h"

#include "images/byte_order.h"

#include <zlib.h>
#include <zstd.h>

#include <memory>

namespace backplane::images::qcow2 {

namespace {

constexpr int window_bits = -12;  // raw deflate, as the format demands
// A cluster has 2 MiB at most; a frame that asks for a larger window is made to use up memory.
constexpr int largest_window = 24;

Bytef* bytes_of(std::span<const std::byte> span) {
    return const_cast<Bytef*>(reinterpret_cast<const Bytef*>(span.data()));
}

bool unpack_zlib(std::span<const std::byte> in, std::span<std::byte> out) {
    z_stream stream{};
    stream.next_in = bytes_of(in);
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = bytes_of(out);
    stream.avail_out = static_cast<uInt>(out.size());
    if (inflateInit2(&stream, window_bits) != Z_OK) return false;
    const int result = inflate(&stream, Z_FINISH);
    inflateEnd(&stream);
    return (result == Z_STREAM_END || result == Z_BUF_ERROR) && stream.avail_out == 0;
}

bool unpack_zstd(std::span<const std::byte> in, std::span<std::byte> out) {
    const std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context{ZSTD_createDCtx(),
                                                                       &ZSTD_freeDCtx};
    if (!context) return false;
    ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, largest_window);
    ZSTD_inBuffer input{in.data(), in.size(), 0};
    ZSTD_outBuffer output{out.data(), out.size(), 0};
    while (output.pos < output.size) {
        const std::size_t before = input.pos + output.pos;
        if (ZSTD_isError(ZSTD_decompressStream(context.get(), &output, &input))) return false;
        if (input.pos + output.pos == before) return false;
    }
    return true;
}

std::size_t pack_zlib(std::span<const std::byte> in, std::span<std::byte> out) {
    z_stream stream{};
    constexpr int memory_level = 9;
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, window_bits, memory_level,
                     Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    stream.next_in = bytes_of(in);
    stream.avail_in = static_cast<uInt>(in.size());
    stream.next_out = bytes_of(out);
    stream.avail_out = static_cast<uInt>(out.size());
    const int result = deflate(&stream, Z_FINISH);
    deflateEnd(&stream);
    return result == Z_STREAM_END ? stream.total_out : 0;
}

}  // namespace

PackedPlace PackedPlace::of(std::uint64_t entry, unsigned cluster_bits) {
    const unsigned size_bit = 62 - (cluster_bits - 8);
    const std::uint64_t offset = entry & ((std::uint64_t{1} << size_bit) - 1);
    const std::uint64_t more = entry >> size_bit & ((std::uint64_t{1} << (cluster_bits - 8)) - 1);
    return {offset, (more + 1) * 512 - offset % 512};
}

std::uint64_t PackedPlace::entry(unsigned cluster_bits) const {
    const std::uint64_t more = divide_up(offset % 512 + size, 512) - 1;
    return packed | more << (62 - (cluster_bits - 8)) | offset;
}

bool unpack(Compression compression, std::span<const std::byte> in, std::span<std::byte> out) {
    return compression == Compression::Zlib ? unpack_zlib(in, out) : unpack_zstd(in, out);
}

std::vector<std::byte> pack(Compression compression, std::span<const std::byte> in,
                            std::size_t most) {
    std::vector<std::byte> out(most);
    std::size_t size = 0;
    if (compression == Compression::Zlib) {
        size = pack_zlib(in, out);
    } else {
        size = ZSTD_compress(out.data(), out.size(), in.data(), in.size(), ZSTD_CLEVEL_DEFAULT);
        if (ZSTD_isError(size)) size = 0;
    }
    out.resize(size);
    return out;
}

}  // namespace backplane::images::qcow2
