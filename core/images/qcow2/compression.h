// Clusters of a qcow2 file that are compressed, each by itself.
#pragma once

#include "images/qcow2/header.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace backplane::images::qcow2 {

// Where an L2 entry says that a compressed cluster lies: from any byte, in whole sectors of 512.
struct PackedPlace {
    std::uint64_t offset = 0, size = 0;

    static PackedPlace of(std::uint64_t entry, unsigned cluster_bits);
    std::uint64_t entry(unsigned cluster_bits) const;
};

// All of `out`, or false. What follows the compressed data is not looked at.
bool unpack(Compression compression, std::span<const std::byte> in, std::span<std::byte> out);
// Empty when it does not become smaller than `most` bytes.
std::vector<std::byte> pack(Compression compression, std::span<const std::byte> in,
                            std::size_t most);

}  // namespace backplane::images::qcow2
