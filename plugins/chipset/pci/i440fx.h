// The host bridge of the 440FX chip set: PCI bus 0 and the memory controller. (82441FX PMC
// datasheet 290549)
#pragma once

#include "host_bridge.h"

namespace backplane::chipset {

class I440fx final : public HostBridge {
public:
    I440fx();
    static void declare(Declaration<I440fx>& d);

    void reset(ResetKind kind);
};

}  // namespace backplane::chipset
