#include "ide_controller.h"

namespace backplane::storage {

void IdeController::declare(Declaration<IdeController>& d) {
    d.type("storage.ide-controller", "Two IDE channels on the ISA bus");
    declare_channel<0>(d);
    declare_channel<1>(d);
}

Outcome IdeController::start() {
    for (IdeChannel& channel : channels_)
        channel.start(nullptr);
    return {};
}

void IdeController::reset(ResetKind) {
    for (IdeChannel& channel : channels_)
        channel.reset();
}

void IdeController::restored() {
    for (IdeChannel& channel : channels_)
        channel.restored();
}

}  // namespace backplane::storage
