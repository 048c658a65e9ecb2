// The bus master of an IDE channel: moves a drive's data to and from the memory that a table of
// physical region descriptors names. (Programming Interface for Bus Master IDE Controller 1.0;
// PIIX3 datasheet 290550, 2.7)
#pragma once

#include "ide_channel.h"

#include <backplane/pci.h>

#include <cstdint>

namespace backplane::storage {

class BusMaster final : public DmaEngine {
public:
    // Once, before the first access.
    void connect(IdeChannel& channel, const PciFunction& pci) {
        channel_ = &channel;
        pci_ = &pci;
    }
    void reset();

    // Eight registers: BMIC at 0, BMIS at 2, BMIDTP at 4.
    std::uint8_t read(unsigned offset) const;
    void write(unsigned offset, std::uint8_t value);

    // DmaEngine
    std::size_t move(std::span<std::uint8_t> bytes, Direction direction) override;
    void interrupt_rose() override { status_ |= Status::interrupt; }

    template <class T, class Accessor>
    static void declare_saved(Declaration<T>& d, const std::string& prefix, Accessor master);

private:
    struct Command {
        static constexpr std::uint8_t start = 0x01;
        static constexpr std::uint8_t to_memory = 0x08;
    };
    struct Status {
        static constexpr std::uint8_t active = 0x01;
        static constexpr std::uint8_t error = 0x02;
        static constexpr std::uint8_t interrupt = 0x04;
        static constexpr std::uint8_t drives_capable = 0x60;  // for drivers to note
    };

    void write_command(std::uint8_t value);
    bool next_region();

    IdeChannel* channel_ = nullptr;
    const PciFunction* pci_ = nullptr;
    std::uint8_t command_ = 0, status_ = 0;
    std::uint32_t table_ = 0;  // BMIDTP

    // While active.
    std::uint32_t next_ = 0;     // descriptor
    std::uint32_t address_ = 0;  // in the region of the one before
    std::uint32_t left_ = 0;     // bytes of it
    bool is_last_ = false;       // region
};

template <class T, class Accessor>
void BusMaster::declare_saved(Declaration<T>& d, const std::string& prefix, Accessor master) {
    d.saved(prefix + ".BMIC", [master](T& t) -> auto& { return master(t).command_; });
    d.saved(prefix + ".BMIS", [master](T& t) -> auto& { return master(t).status_; });
    d.saved(prefix + ".BMIDTP", [master](T& t) -> auto& { return master(t).table_; });
    d.saved(prefix + ".descriptor", [master](T& t) -> auto& { return master(t).next_; });
    d.saved(prefix + ".address", [master](T& t) -> auto& { return master(t).address_; });
    d.saved(prefix + ".left", [master](T& t) -> auto& { return master(t).left_; });
    d.saved(prefix + ".last", [master](T& t) -> auto& { return master(t).is_last_; });
}

}  // namespace backplane::storage
