// Two IDE channels at the ports of the ISA bus, without DMA: what a PC had before PCI, and what an
// ISA adapter card gives.
#pragma once

#include "ide_channels.h"

#include <backplane/sdk.h>

namespace backplane::storage {

class IdeController final : public IdeChannels {
public:
    static void declare(Declaration<IdeController>& d);

    Outcome start();
    void reset(ResetKind);
    void restored();
};

}  // namespace backplane::storage
