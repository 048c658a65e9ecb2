// Memory as an AHCI adapter reaches it. While it does, its own registers are deaf: a guest may
// point a command list or a region at them, or at a device that does the same in turn.
#pragma once

#include <backplane/pci.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace backplane::storage {

class AhciMemory {
public:
    explicit AhciMemory(const PciFunction& pci) : pci_{pci} {}

    bool is_master() const { return pci_.is_master(); }
    bool is_accessing() const { return is_accessing_; }

    // As PciFunction does.
    bool read(std::uint64_t address, std::span<std::byte> bytes) {
        const bool before = std::exchange(is_accessing_, true);
        const bool done = pci_.read(address, bytes);
        is_accessing_ = before;
        return done;
    }
    bool write(std::uint64_t address, std::span<const std::byte> bytes) {
        const bool before = std::exchange(is_accessing_, true);
        const bool done = pci_.write(address, bytes);
        is_accessing_ = before;
        return done;
    }
    // What has been put there already is written again, for all who have to know that memory
    // changed.
    void announce(std::uint64_t address, std::span<const std::byte> bytes) {
        const bool before = std::exchange(is_accessing_, true);
        pci_.memory().write(address, bytes);
        is_accessing_ = before;
    }

    // Where plain memory is.
    AddressSpace space() const { return pci_.memory(); }

private:
    const PciFunction& pci_;
    bool is_accessing_ = false;
};

}  // namespace backplane::storage
