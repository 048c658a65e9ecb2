// Guest memory: the part below a limit in one window, the rest in another that goes above 4 GiB, as
// on every PC.
#pragma once

#include <backplane/sdk.h>

namespace backplane::chipset {

class Ram final : public Device {
public:
    static void declare(Declaration<Ram>& d);

    Outcome start();

private:
    MemoryRegion low() { return allocate(low_, std::min(size_.value, low_limit_.value)); }
    MemoryRegion high() {
        return allocate(high_, size_.value - std::min(size_.value, low_limit_.value));
    }
    MemoryRegion allocate(MemoryRegion& region, std::uint64_t size);

    Bytes size_ = literals::operator""_MiB(512);
    Bytes low_limit_ = literals::operator""_GiB(3);
    MemoryRegion low_, high_;
    bool out_of_memory_ = false;
};

}  // namespace backplane::chipset
