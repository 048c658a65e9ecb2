// An IDE channel: the cable with up to two drives, and the registers in which the host sees them.
// (ATA/ATAPI-6 chapters 7 and 9)
//
// The host's writes go to both drives and its reads come from the selected one, so the channel
// keeps a task file for each. Commands go to drives, and their data and results come back, as
// abi/ata.h says.
#pragma once

#include "ata_registers.h"

#include <backplane/connection.h>
#include <backplane/declaration.h>
#include <backplane/line.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace backplane::storage {

// What moves data of DMA phases; a channel without one leaves the drive waiting, as one does whose
// DMA request line goes nowhere.
class DmaEngine {
public:
    enum class Direction : std::uint8_t { ToMemory, FromMemory };

    // How many of the bytes could be moved; fewer when the host gave too little memory, or 0 when
    // it has not started the engine.
    virtual std::size_t move(std::span<std::uint8_t> bytes, Direction direction) = 0;
    virtual void interrupt_rose() = 0;

protected:
    ~DmaEngine() = default;
};

class IdeChannel {
public:
    IdeChannel() = default;
    IdeChannel(const IdeChannel&) = delete;
    IdeChannel& operator=(const IdeChannel&) = delete;

    // Before the first reset, once everything is connected.
    void start(DmaEngine* dma);
    // RESET- is pulsed.
    void reset();
    void restored();

    // Offsets 0 to 7: the command block.
    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    // Accesses to the data register in a row; how many were made.
    std::uint32_t read_many(std::uint32_t size, std::span<std::byte> data);
    std::uint32_t write_many(std::uint32_t size, std::span<const std::byte> data);
    // The control block has but one register: Alternate Status, and Device Control.
    std::uint8_t read_alternate_status() const { return status(); }
    void write_device_control(std::uint8_t value);

    // The engine has been started: what waits for it goes on.
    void dma_started() { pump(); }
    bool is_connected(unsigned device) const { return bool{sides_[device].drive}; }

    Connection<backplane_ata_drive>& drive(unsigned device) { return sides_[device].drive; }
    Line& interrupt_line() { return irq_; }

    // `prefix` is put before the names of what is saved; `channel` gives the IdeChannel of a T.
    template <class T, class Accessor>
    static void declare_saved(Declaration<T>& d, const std::string& prefix, Accessor channel);

private:
    // One drive, with its registers as the host sees them.
    struct Side {
        IdeChannel* channel = nullptr;
        Connection<backplane_ata_drive> drive;
        std::uint8_t* buffer = nullptr;
        std::uint32_t buffer_size = 0;

        std::uint8_t status = 0, error = 0, device = 0;
        std::uint16_t features = 0, count = 0;
        std::uint64_t lba = 0;
        bool interrupt = false;      // it wants to interrupt the host
        std::uint32_t transfer = 0;  // backplane_ata_transfer; 0 = no data to be moved
        std::uint32_t offset = 0;    // of what is moved next, in the buffer
        std::uint32_t left = 0;      // bytes
        bool may_be_packet = false;  // it showed the signature of a packet device last
    };

    Side& selected() { return sides_[(select_ & ata_device::dev) != 0]; }
    const Side& selected() const { return sides_[(select_ & ata_device::dev) != 0]; }
    bool nobody_answers() const { return !selected().drive && !sides_[0].drive; }

    std::uint8_t status() const;
    std::uint8_t read_register(std::uint64_t offset);
    void write_register(std::uint64_t offset, std::uint8_t value);
    void write_command(std::uint8_t command);
    void execute(Side& side, std::uint8_t command);
    void reset_drives(std::uint32_t kind);
    void drive_interrupt();

    std::uint32_t read_data(unsigned words);
    void write_data(unsigned words, std::uint32_t value);
    bool is_pio(const Side& side, bool in) const;
    void moved(Side& side, std::uint32_t bytes);
    void pump();

    void transfer(Side& side, const backplane_ata_phase& phase);
    void complete(Side& side, const backplane_ata_result& result);
    static void take(Side& side, const backplane_ata_result& result);

    std::array<Side, 2> sides_;
    Line irq_;
    DmaEngine* dma_ = nullptr;
    bool is_pumping_ = false;
    std::uint8_t select_ = 0;   // Device register as written last
    std::uint8_t control_ = 0;  // Device Control
};

template <class T, class Accessor>
void IdeChannel::declare_saved(Declaration<T>& d, const std::string& prefix, Accessor channel) {
    d.saved(prefix + ".select", [channel](T& t) -> auto& { return channel(t).select_; });
    d.saved(prefix + ".control", [channel](T& t) -> auto& { return channel(t).control_; });
    for (unsigned index = 0; index < 2; ++index) {
        const auto side = [channel, index](T& t) -> Side& { return channel(t).sides_[index]; };
        const std::string name = prefix + ".device" + std::to_string(index) + '.';
        d.saved(name + "status", [side](T& t) -> auto& { return side(t).status; });
        d.saved(name + "error", [side](T& t) -> auto& { return side(t).error; });
        d.saved(name + "device", [side](T& t) -> auto& { return side(t).device; });
        d.saved(name + "features", [side](T& t) -> auto& { return side(t).features; });
        d.saved(name + "count", [side](T& t) -> auto& { return side(t).count; });
        d.saved(name + "lba", [side](T& t) -> auto& { return side(t).lba; });
        d.saved(name + "interrupt", [side](T& t) -> auto& { return side(t).interrupt; });
        d.saved(name + "transfer", [side](T& t) -> auto& { return side(t).transfer; });
        d.saved(name + "offset", [side](T& t) -> auto& { return side(t).offset; });
        d.saved(name + "left", [side](T& t) -> auto& { return side(t).left; });
        d.saved(name + "packet", [side](T& t) -> auto& { return side(t).may_be_packet; });
    }
}

}  // namespace backplane::storage
