// The memory controller hub of the Q35 chip set: PCI Express bus 0 with memory-mapped configuration
// space, and the memory controller. (3 Series Express Chipset datasheet 316966)
#pragma once

#include "host_bridge.h"

namespace backplane::chipset {

class Q35Mch final : public HostBridge {
public:
    Q35Mch();
    static void declare(Declaration<Q35Mch>& d);

    void reset(ResetKind kind);
    void restored();

private:
    friend class HostBridge;
    std::uint64_t read_ecam(std::uint64_t offset, unsigned size);
    void write_ecam(std::uint64_t offset, unsigned size, std::uint64_t value);
    void config_written(unsigned offset, unsigned size);
    void place_ecam();

    Placement ecam_;
};

}  // namespace backplane::chipset
