// The processor's bus over what the machine file connected: memory, I/O ports, and an interrupt
// controller whose register page is in front of memory.
#pragma once

#include "interp/physical_bus.h"
#include "x86/system_services.h"

#include <backplane/address_space.h>
#include <backplane/connection.h>
#include <backplane/units.h>

#include <cstdint>
#include <functional>
#include <optional>

namespace backplane::interp {

class SystemBus final : public PhysicalBus, public x86::LocalApicPort {
public:
    AddressSpace memory, io;
    Connection<backplane_interrupt_controller> controller;
    const backplane_host* host = nullptr;
    Hertz tsc_frequency;
    std::uint64_t deadline_ticks = 0;  // as written last; the controller knows whether it passed
    std::function<void()> on_local_apic_moved;  // what find() gave before may be wrong

    // PhysicalBus
    PhysicalRange find(std::uint64_t address) override;
    std::uint64_t read(std::uint64_t address, unsigned size) override;
    void write(std::uint64_t address, unsigned size, std::uint64_t value) override;
    std::uint64_t read_port(std::uint16_t port, unsigned size) override;
    void write_port(std::uint16_t port, unsigned size, std::uint64_t value) override;
    std::uint32_t read_port_many(std::uint16_t port, unsigned size,
                                 std::span<std::byte> data) override;
    std::uint32_t write_port_many(std::uint16_t port, unsigned size,
                                  std::span<const std::byte> data) override;
    int acknowledge_interrupt() override;
    void watch_code(std::uint64_t page, bool watch) override;
    void claim_code_page(std::uint64_t page) override;
    bool is_only_processor() const override;
    void begin_exclusive() override;
    void end_exclusive() override;
    bool is_boot_processor() const override;
    int take_startup() override;

    // x86::LocalApicPort; there is one when the controller has registers of its own.
    bool has_local_apic() const { return controller && controller->read_msr; }
    std::uint8_t task_priority() const override;
    void set_task_priority(std::uint8_t cr8) override;
    std::uint64_t base() const override;
    bool set_base(std::uint64_t value) override;
    std::optional<std::uint64_t> read_msr(std::uint32_t index) override;
    bool write_msr(std::uint32_t index, std::uint64_t value) override;
    std::uint64_t tsc_deadline() const override;
    void set_tsc_deadline(std::uint64_t ticks) override;

    // The APIC ID, as the register page has it after a reset.
    std::uint32_t local_apic_id();
    // Asks the controller where its page is; after reset, and after each write of IA32_APIC_BASE.
    void find_local_apic_page();

private:
    bool is_local_apic(std::uint64_t address) const { return address - apic_page_ < 0x1000; }

    static constexpr std::uint64_t no_page = ~std::uint64_t{0} << 12;
    std::uint64_t apic_page_ = no_page;
};

}  // namespace backplane::interp
