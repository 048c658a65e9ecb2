#include "ide_channel.h"

#include "ata_commands.h"

#include <algorithm>
#include <cstring>

namespace backplane::storage {

namespace {

enum Register : std::uint64_t { Data, Error, Count, LbaLow, LbaMid, LbaHigh, DeviceSelect, Status };

// Pull-up resistors on the cable, but for DD7, which is pulled down so that BSY reads as 0.
constexpr std::uint8_t floating = 0xff, floating_status = 0x7f;

// A register that is two bytes deep: what was there moves to its upper byte.
constexpr std::uint16_t pushed(std::uint16_t before, std::uint8_t value) {
    return static_cast<std::uint16_t>(before << 8 | value);
}

constexpr std::uint64_t pushed(std::uint64_t lba, unsigned byte, std::uint8_t value) {
    const unsigned low = byte * 8, high = low + 24;
    const std::uint64_t previous = lba >> low & 0xff;
    lba &= ~(std::uint64_t{0xff} << low | std::uint64_t{0xff} << high);
    return lba | std::uint64_t{value} << low | previous << high;
}

}  // namespace

void IdeChannel::start(DmaEngine* dma) {
    dma_ = dma;
    for (Side& side : sides_) {
        side.channel = this;
        if (!side.drive) continue;
        const backplane_ata_host host{sizeof host, 0,
                                      [](void* user, const backplane_ata_phase* phase) noexcept {
                                          auto& of = *static_cast<Side*>(user);
                                          of.channel->transfer(of, *phase);
                                      },
                                      [](void* user, const backplane_ata_result* result) noexcept {
                                          auto& of = *static_cast<Side*>(user);
                                          of.channel->complete(of, *result);
                                      },
                                      &side};
        side.buffer = side.drive.call<&backplane_ata_drive::buffer>(&side.buffer_size);
        if (side.buffer == nullptr)
            side.drive = {};
        else
            side.drive.call<&backplane_ata_drive::attach>(&host);
    }
}

void IdeChannel::reset() {
    control_ = 0;
    reset_drives(BACKPLANE_ATA_RESET_HARDWARE);
}

// Host memory of the buffers is as before; what was asked for again comes by itself.
void IdeChannel::restored() {
    for (Side& side : sides_)
        if (side.left > side.buffer_size || side.offset > side.buffer_size - side.left)
            side.offset = side.left = side.transfer = 0;
}

void IdeChannel::reset_drives(std::uint32_t kind) {
    select_ = 0;
    for (Side& side : sides_) {
        if (!side.drive) continue;
        side.transfer = side.left = side.offset = 0;
        side.interrupt = false;
        side.features = 0;
        backplane_ata_result result{};
        side.drive.call<&backplane_ata_drive::reset>(kind, &result);
        take(side, result);
        side.may_be_packet = result.lba == packet_signature;
    }
    drive_interrupt();
}

void IdeChannel::take(Side& side, const backplane_ata_result& result) {
    side.status = result.status;
    side.error = result.error;
    side.device = result.device;
    side.count = result.count;
    side.lba = result.lba;
    if (result.interrupt != 0) side.interrupt = true;
}

// ---- What the drives do

void IdeChannel::transfer(Side& side, const backplane_ata_phase& phase) {
    if (phase.length == 0 || phase.length > side.buffer_size ||
        phase.offset > side.buffer_size - phase.length)
        return;
    take(side, phase.result);
    side.transfer = phase.transfer;
    side.offset = phase.offset;
    side.left = phase.length;
    drive_interrupt();
    pump();
}

void IdeChannel::complete(Side& side, const backplane_ata_result& result) {
    side.transfer = side.left = 0;
    take(side, result);
    drive_interrupt();
}

// INTRQ is that of the selected drive; nIEN lets go of it.
void IdeChannel::drive_interrupt() {
    const bool level = selected().interrupt && (control_ & device_control::nien) == 0;
    if (level && !irq_.level() && dma_ != nullptr) dma_->interrupt_rose();
    irq_.drive(level);
}

void IdeChannel::moved(Side& side, std::uint32_t bytes) {
    side.offset += bytes;
    side.left -= bytes;
    if (side.left != 0) return;
    side.transfer = 0;
    // Busy until it says what comes next.
    side.status = ata_status::bsy;
    side.drive.call<&backplane_ata_drive::transferred>();
}

// Moves what waits for DMA. A drive that is told so may have more at once, within the call.
void IdeChannel::pump() {
    if (is_pumping_ || dma_ == nullptr) return;
    is_pumping_ = true;
    for (Side& side : sides_) {
        while (side.transfer == BACKPLANE_ATA_DMA_IN || side.transfer == BACKPLANE_ATA_DMA_OUT) {
            const auto direction = side.transfer == BACKPLANE_ATA_DMA_IN
                                       ? DmaEngine::Direction::ToMemory
                                       : DmaEngine::Direction::FromMemory;
            const std::size_t done = dma_->move({side.buffer + side.offset, side.left}, direction);
            if (done == 0) break;
            moved(side, static_cast<std::uint32_t>(done));
        }
    }
    is_pumping_ = false;
}

// ---- What the host does

std::uint64_t IdeChannel::read(std::uint64_t offset, unsigned size) {
    // Double words at the data register are two words in a row.
    if (offset == Data) return read_data(size == 4 ? 2 : 1);
    std::uint64_t value = 0;
    for (unsigned index = 0; index < size; ++index)
        value |= std::uint64_t{read_register(offset + index)} << (index * 8);
    return value;
}

void IdeChannel::write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (offset == Data) return write_data(size == 4 ? 2 : 1, static_cast<std::uint32_t>(value));
    for (unsigned index = 0; index < size; ++index)
        write_register(offset + index, static_cast<std::uint8_t>(value >> (index * 8)));
}

std::uint8_t IdeChannel::status() const {
    if (nobody_answers()) return floating_status;
    if ((control_ & device_control::srst) != 0) return ata_status::bsy;
    // Device 0 answers for device 1 that is not there, with zero. (ATA/ATAPI-6, 9.16.1)
    return selected().drive ? selected().status : std::uint8_t{0};
}

std::uint8_t IdeChannel::read_register(std::uint64_t offset) {
    if (offset == Status) {
        const std::uint8_t value = status();
        if (selected().interrupt) {
            selected().interrupt = false;
            drive_interrupt();
        }
        return value;
    }
    if (nobody_answers()) return floating;
    // A device that is busy answers with its status whatever is asked. (ATA/ATAPI-6, 7.1)
    if ((status() & ata_status::bsy) != 0) return status();
    // Device 0 answers for device 1 that is not there; a packet device with zeros. (9.16.2)
    const Side& side = selected().drive ? selected() : sides_[0];
    if (!selected().drive && side.may_be_packet) return 0;
    const bool previous = (control_ & device_control::hob) != 0;
    switch (offset) {
    case Error: return side.error;
    case Count: return static_cast<std::uint8_t>(previous ? side.count >> 8 : side.count);
    case LbaLow:
    case LbaMid:
    case LbaHigh: {
        const unsigned byte = static_cast<unsigned>(offset - LbaLow) + (previous ? 3 : 0);
        return static_cast<std::uint8_t>(side.lba >> (byte * 8));
    }
    case DeviceSelect:
        return static_cast<std::uint8_t>((select_ & 0xf0) | ata_device::obsolete |
                                         (side.device & 0x0f));
    default: return floating;
    }
}

void IdeChannel::write_register(std::uint64_t offset, std::uint8_t value) {
    control_ &= static_cast<std::uint8_t>(~device_control::hob);
    if ((control_ & device_control::srst) != 0) return;
    if (offset == Status) return write_command(value);
    // A device in the middle of a command takes no more registers.
    const bool is_idle = (selected().status & (ata_status::bsy | ata_status::drq)) == 0;
    if (!is_idle && selected().drive && offset != DeviceSelect) return;
    if (offset == DeviceSelect) {
        select_ = value;
        for (Side& side : sides_)
            if ((side.status & (ata_status::bsy | ata_status::drq)) == 0)
                side.device = value & 0x0f;
        return drive_interrupt();
    }
    for (Side& side : sides_) {
        if ((side.status & (ata_status::bsy | ata_status::drq)) != 0) continue;
        if (offset == Error)
            side.features = pushed(side.features, value);
        else if (offset == Count)
            side.count = pushed(side.count, value);
        else
            side.lba = pushed(side.lba, static_cast<unsigned>(offset - LbaLow), value);
    }
}

void IdeChannel::write_command(std::uint8_t command) {
    if (command == ata_command::execute_device_diagnostic) {
        // For both, whichever is selected; device 0 answers for both. (ATA/ATAPI-6, 9.10)
        select_ = 0;
        for (Side& side : sides_)
            if (side.drive && (side.status & ata_status::bsy) == 0) execute(side, command);
        sides_[1].interrupt = false;
        return drive_interrupt();
    }
    Side& side = selected();
    if (!side.drive) return;
    const bool is_idle = (side.status & (ata_status::bsy | ata_status::drq)) == 0;
    // Packet devices alone can be told to stop. (ATA/ATAPI-6, 8.9)
    if (!is_idle && (command != ata_command::device_reset || !side.may_be_packet)) return;
    execute(side, command);
}

void IdeChannel::execute(Side& side, std::uint8_t command) {
    side.interrupt = false;
    drive_interrupt();
    const backplane_ata_command registers{sizeof registers,
                                          command,
                                          static_cast<std::uint8_t>((select_ & 0xf0) | side.device),
                                          side.features,
                                          side.count,
                                          0,
                                          0,
                                          side.lba};
    side.transfer = side.left = 0;
    side.status = ata_status::bsy;
    side.error = 0;
    side.drive.call<&backplane_ata_drive::execute>(&registers);
}

void IdeChannel::write_device_control(std::uint8_t value) {
    const std::uint8_t before = control_;
    control_ = value & (device_control::nien | device_control::srst | device_control::hob);
    if ((before & device_control::srst) == 0 && (control_ & device_control::srst) != 0)
        return reset_drives(BACKPLANE_ATA_RESET_SOFTWARE);
    drive_interrupt();
}

// ---- The data register

bool IdeChannel::is_pio(const Side& side, bool in) const {
    if (side.left == 0 || (control_ & device_control::srst) != 0) return false;
    if (in) return side.transfer == BACKPLANE_ATA_PIO_IN;
    return side.transfer == BACKPLANE_ATA_PIO_OUT || side.transfer == BACKPLANE_ATA_PACKET;
}

std::uint32_t IdeChannel::read_data(unsigned words) {
    std::uint32_t value = 0;
    for (unsigned word = 0; word < words; ++word) {
        Side& side = selected();
        std::uint16_t part = side.drive ? 0 : 0xffff;
        if (is_pio(side, true)) {
            const std::uint32_t bytes = std::min(side.left, 2u);
            part = 0;
            std::memcpy(&part, side.buffer + side.offset, bytes);
            moved(side, bytes);
        }
        value |= std::uint32_t{part} << (word * 16);
    }
    return value;
}

void IdeChannel::write_data(unsigned words, std::uint32_t value) {
    for (unsigned word = 0; word < words; ++word) {
        Side& side = selected();
        if (!is_pio(side, false)) return;
        const auto part = static_cast<std::uint16_t>(value >> (word * 16));
        const std::uint32_t bytes = std::min(side.left, 2u);
        std::memcpy(side.buffer + side.offset, &part, bytes);
        moved(side, bytes);
    }
}

// Whole blocks but for the last access, which may make the drive do something.
std::uint32_t IdeChannel::read_many(std::uint32_t size, std::span<std::byte> data) {
    Side& side = selected();
    if (size == 1 || !is_pio(side, true)) return 0;
    const auto count = static_cast<std::uint32_t>(
        std::min<std::size_t>(data.size() / size, side.left / size));
    if (count == 0) return 0;
    std::memcpy(data.data(), side.buffer + side.offset, std::size_t{count} * size);
    moved(side, count * size);
    return count;
}

std::uint32_t IdeChannel::write_many(std::uint32_t size, std::span<const std::byte> data) {
    Side& side = selected();
    if (size == 1 || !is_pio(side, false)) return 0;
    const auto count = static_cast<std::uint32_t>(
        std::min<std::size_t>(data.size() / size, side.left / size));
    if (count == 0) return 0;
    std::memcpy(side.buffer + side.offset, data.data(), std::size_t{count} * size);
    moved(side, count * size);
    return count;
}

}  // namespace backplane::storage
