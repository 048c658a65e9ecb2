// The local APIC of one CPU: takes interrupts from messages, its timer and two pins, orders them by
// priority and hands them to the CPU. (Intel SDM volume 3A, chapter 11; section numbers in the
// sources are of order 325384-080)
//
// local_apic.cpp has the registers, local_apic_msrs.cpp the modes of IA32_APIC_BASE and what is
// reached as an MSR, local_apic_interrupts.cpp what happens to an interrupt.
#pragma once

#include "interrupt_message.h"
#include "local_apic_timer.h"
#include "vector_set.h"

#include <backplane/sdk.h>

#include <array>
#include <vector>

namespace backplane::chipset {

class LocalApic final : public Device {
public:
    static void declare(Declaration<LocalApic>& d);

    void reset(ResetKind);

    // ---- backplane.interrupt-controller/1 ----
    std::int32_t acknowledge();
    std::uint64_t read(std::uint64_t offset, std::uint32_t size);
    void write(std::uint64_t offset, std::uint32_t size, std::uint64_t value);
    std::int32_t read_msr(std::uint32_t index, std::uint64_t* value);
    std::int32_t write_msr(std::uint32_t index, std::uint64_t value);
    std::uint8_t task_priority() { return tpr_ >> 4; }
    void set_task_priority(std::uint8_t priority);
    std::int32_t take_startup();

    // ---- backplane.message-interrupt/1 ----
    std::int32_t receive(std::uint64_t address, std::uint32_t data);

private:
    enum Lvt : unsigned { Timer, Thermal, Performance, Lint0, Lint1, Error, LvtCount };

    std::uint32_t read_register(unsigned index);
    void write_register(unsigned index, std::uint32_t value);
    void write_lvt(unsigned entry, std::uint32_t value);
    void write_svr(std::uint32_t value);
    void write_icr(std::uint32_t value, std::uint32_t destination);
    void reset_registers();
    bool write_base(std::uint64_t value);
    bool read_x2apic(unsigned index, std::uint64_t& value);
    bool write_x2apic(unsigned index, std::uint64_t value);

    bool is_enabled() const;           // by IA32_APIC_BASE
    bool is_x2apic() const;            // likewise
    std::uint32_t logical_id() const;  // LDR
    bool is_software_enabled() const;  // by SVR
    bool is_masked(Lvt entry) const;
    DeliveryMode lvt_mode(Lvt entry) const {
        return static_cast<DeliveryMode>(lvt_[entry] >> 8 & 7);
    }

    bool is_destination(const InterruptMessage& message) const;
    bool accept(const InterruptMessage& message);
    bool send(const InterruptMessage& message);
    void request(std::uint8_t vector, bool level_triggered);
    void end_of_interrupt();
    void raise_error(std::uint32_t bit);
    void set_lint0(bool level) { set_lint(0, level); }
    void set_lint1(bool level) { set_lint(1, level); }
    void set_lint(unsigned pin, bool level);
    void drive_lint(unsigned pin, bool rises);
    void timer_expired();
    void schedule_timer();
    bool external_pending() const;
    int deliverable() const;
    std::uint8_t processor_priority() const;
    std::uint8_t arbitration_priority() const;
    void update();

    std::uint8_t initial_id_ = 0;
    Hertz frequency_{1'000'000'000};
    bool boot_processor_ = true;
    bool virtual_wire_ = true;
    Line intr_, nmi_, init_, startup_;
    Connection<backplane_interrupt_controller> external_;
    std::vector<Connection<backplane_message_interrupt>> processors_;
    std::vector<Connection<backplane_end_of_interrupt>> end_listeners_;
    backplane::Timer timer_alarm_;

    std::uint64_t base_ = 0;
    std::uint8_t id_ = 0;
    std::uint8_t tpr_ = 0;
    std::uint8_t ldr_ = 0;  // bits 31-24 of LDR, 31-28 of DFR
    std::uint8_t dfr_ = 0x0f;
    std::uint32_t svr_ = 0xff;
    std::uint32_t esr_ = 0, new_errors_ = 0;
    std::uint32_t icr_low_ = 0, icr_high_ = 0;
    std::array<std::uint32_t, LvtCount> lvt_{};
    VectorSet irr_, isr_, tmr_;
    LocalApicTimer timer_;
    std::array<bool, 2> lint_{};        // levels of the pins
    bool external_latched_ = false;     // an ExtINT message nobody acknowledged yet
    std::int16_t startup_vector_ = -1;  // of a STARTUP that the CPU did not take yet
    std::uint8_t next_processor_ = 0;   // lowest priority: who is asked first
    std::uint64_t accepted_ = 0, merged_ = 0, acknowledged_ = 0, external_acknowledged_ = 0,
                  timer_interrupts_ = 0, sent_ = 0;
};

}  // namespace backplane::chipset
