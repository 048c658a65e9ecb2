#include "images/vhd/fixed_vhd.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace backplane::images::vhd {

// There is a footer at the file's end at any moment.
int FixedVhd::resize(std::uint64_t size) {
    if (size % 512 != 0 || size > largest_disk || is_read_only()) return EINVAL;
    Footer next = footer_;
    next.current_size = size;
    next.geometry = Geometry::of(size / 512);
    if (next.disk_size() != size) return EINVAL;  // an old disk, whose geometry says its size
    if (const int error = file_->write_bytes(size, next.bytes()); error != 0) return error;
    if (const int error = file_->flush(); error != 0) return error;
    if (size < size_) {
        if (const int error = file_->resize(size + footer_size); error != 0) return error;
    } else if (size > size_) {
        const std::array<std::byte, footer_size> zeroes{};
        const auto length = std::min<std::uint64_t>(footer_size, size - size_);
        if (const int error = file_->write_bytes(size_, std::span{zeroes}.first(length));
            error != 0)
            return error;
    }
    footer_ = next;
    size_ = size;
    return file_->flush();
}

}  // namespace backplane::images::vhd
