#include "ide_controller.h"

namespace backplane::storage {

template <unsigned index>
void IdeController::declare_channel(Declaration<IdeController>& d) {
    static constexpr bool primary = index == 0;
    const auto channel = [](IdeController& t) -> IdeChannel& { return t.channels_[index]; };
    d.port_window<&IdeController::read<index>, &IdeController::write<index>,
                  &IdeController::read_many<index>, &IdeController::write_many<index>>(
         primary ? "primary" : "secondary", 8,
         primary ? "Command block, usually at 0x1F0" : "Command block, usually at 0x170")
        .reg(0, "DATA", "16 bits of the data block", 2)
        .reg(1, "ERROR", "Read: error; write: features")
        .reg(2, "COUNT", "Sectors")
        .reg(3, "LBA_LOW", "LBA bits 0 to 7, or the sector")
        .reg(4, "LBA_MID", "LBA bits 8 to 15, or the cylinder's low byte")
        .reg(5, "LBA_HIGH", "LBA bits 16 to 23, or the cylinder's high byte")
        .reg(6, "DEVICE", "Bit 4: device; bit 6: LBA; bits 0 to 3: LBA bits 24 to 27, or the head")
        .reg(7, "STATUS", "Read: status, and the interrupt is taken back; write: command");
    d.port_window<&IdeController::read_control<index>, &IdeController::write_control<index>>(
         primary ? "primary-control" : "secondary-control", 1,
         primary ? "Control block, usually at 0x3F6" : "Control block, usually at 0x376")
        .reg(0, "CONTROL", "Read: status; write: bit 1 disables interrupts, bit 2 resets");
    d.line_output(
        primary ? "primary-irq" : "secondary-irq",
        [channel](IdeController& t) -> auto& { return channel(t).interrupt_line(); },
        primary ? "Interrupt, usually 14" : "Interrupt, usually 15");
    d.connects(
        primary ? "primary-master" : "secondary-master",
        [channel](IdeController& t) -> auto& { return channel(t).drive(0); }, "Device 0",
        Optional::Yes);
    d.connects(
        primary ? "primary-slave" : "secondary-slave",
        [channel](IdeController& t) -> auto& { return channel(t).drive(1); }, "Device 1",
        Optional::Yes);
    IdeChannel::declare_saved(d, primary ? "primary" : "secondary", channel);
}

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
