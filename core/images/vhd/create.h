// An empty VHD file.
#pragma once

#include "images/byte_file.h"
#include "images/vhd/footer.h"

#include <expected>
#include <string>

namespace backplane::images::vhd {

struct CreateOptions {
    std::uint64_t size = 0;
    DiskType type = DiskType::Dynamic;
    // Of a differencing disk: its parent's footer, and where it is, relative and absolute.
    Footer parent = {};
    std::string parent_relative = {}, parent_absolute = {};
};

// What is wrong with the options, or with the file.
std::expected<void, std::string> create(ByteFile& file, const CreateOptions& options);

}  // namespace backplane::images::vhd
