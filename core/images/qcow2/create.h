// An empty qcow2 file.
#pragma once

#include "images/byte_file.h"
#include "images/qcow2/header.h"

#include <cstdint>
#include <expected>
#include <string>

namespace backplane::images::qcow2 {

struct CreateOptions {
    std::uint64_t size = 0;
    std::uint32_t version = 3;
    std::uint64_t cluster_size = 65536;
    std::uint32_t refcount_bits = 16;
    bool has_lazy_refcounts = false;
    Compression compression = Compression::Zlib;
    std::string backing = {}, backing_format = {};
};

// What is wrong with the options, or with the file.
std::expected<void, std::string> create(ByteFile& file, const CreateOptions& options);

}  // namespace backplane::images::qcow2
