// Changes to a file that must become stable in order: what is pointed at before what points at it.
#pragma once

#include "images/byte_file.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace backplane::images {

struct PendingWrite {
    std::uint64_t offset;
    std::vector<std::byte> bytes;
};
using WriteStage = std::vector<PendingWrite>;

// Each stage is on stable storage before the next is begun, and everything when this returns 0.
// What was written to the file before becomes stable with the first stage, which points at nothing,
// or before any other.
int write_stages(ByteFile& file, std::span<const WriteStage> stages);

}  // namespace backplane::images
