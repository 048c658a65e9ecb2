// Lets a test running in the guest end the program with a code of its choice, as QEMU's
// isa-debug-exit does.
#pragma once

#include <backplane/sdk.h>

namespace backplane::chipset {

class IsaDebugExit final : public Device {
public:
    static void declare(Declaration<IsaDebugExit>& d);

private:
    std::uint64_t read(std::uint64_t, unsigned) const { return 0; }
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
};

}  // namespace backplane::chipset
