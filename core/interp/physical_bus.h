// The world outside the processor as the engine sees it: physical memory, ports, the interrupt
// acknowledge cycle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

namespace backplane::interp {

// The largest range around an address that is reached in one way.
struct PhysicalRange {
    std::uint64_t start = 0;
    std::uint64_t length = 0;
    std::uint8_t* memory = nullptr;  // host memory of `start`; null when every access is a call
    bool readable = false;           // `memory` may be read directly
    bool writable = false;           // `memory` may be written directly

    bool contains(std::uint64_t address) const { return address - start < length; }
    std::uint8_t* host(std::uint64_t address) const { return memory + (address - start); }
};

// [vcpu]
class PhysicalBus {
public:
    virtual PhysicalRange find(std::uint64_t address) = 0;
    virtual std::uint64_t read(std::uint64_t address, unsigned size) = 0;
    virtual void write(std::uint64_t address, unsigned size, std::uint64_t value) = 0;
    virtual std::uint64_t read_port(std::uint16_t port, unsigned size) = 0;
    virtual void write_port(std::uint16_t port, unsigned size, std::uint64_t value) = 0;
    // Accesses of `size` bytes to one port, one after another, of which as many are made at once as
    // the device can; the rest, perhaps all, must be made singly.
    virtual std::uint32_t read_port_many(std::uint16_t, unsigned /*size*/, std::span<std::byte>) {
        return 0;
    }
    virtual std::uint32_t write_port_many(std::uint16_t, unsigned /*size*/,
                                          std::span<const std::byte>) {
        return 0;
    }

    // The vector of the highest pending interrupt, now in service; negative when the request went
    // away.
    virtual int acknowledge_interrupt() = 0;

    // Code of this 4 KiB page is kept translated, or no longer is: whoever else writes there must
    // tell.
    virtual void watch_code(std::uint64_t page, bool watch) = 0;

    // ---- With several processors; one alone has nothing to do ----

    // Once the machine runs: nobody else executes anything, so that nothing needs to be atomic.
    virtual bool is_only_processor() const { return false; }

    // This processor is about to write into a page that others keep code of: they drop it.
    virtual void claim_code_page(std::uint64_t) {}

    // Between the two no other processor executes anything, and no device acts. May be nested.
    virtual void begin_exclusive() {}
    virtual void end_exclusive() {}

    // Whether the processor begins to execute after INIT, rather than wait for STARTUP.
    virtual bool is_boot_processor() const { return true; }
    // The vector of a STARTUP that came, once; negative when none did since the last INIT.
    virtual int take_startup() { return -1; }

protected:
    ~PhysicalBus() = default;
};

}  // namespace backplane::interp
