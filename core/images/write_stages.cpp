#include "images/write_stages.h"

namespace backplane::images {

int write_stages(ByteFile& file, std::span<const WriteStage> stages) {
    bool is_stable = false;
    for (const WriteStage& stage : stages) {
        if (stage.empty()) continue;
        // What the stage points at may have been written long before.
        const bool points_at_something = &stage != stages.data();
        if (points_at_something && !is_stable)
            if (const int error = file.flush(); error != 0) return error;
        for (const PendingWrite& write : stage)
            if (const int error = file.write_bytes(write.offset, write.bytes); error != 0)
                return error;
        if (const int error = file.flush(); error != 0) return error;
        is_stable = true;
    }
    return is_stable ? 0 : file.flush();
}

}  // namespace backplane::images
