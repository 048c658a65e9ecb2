#include "local_apic.h"

#include <algorithm>
#include <utility>

namespace backplane::chipset {

namespace {

constexpr std::uint32_t lvt_remote_irr = 1u << 14, lvt_level_triggered = 1u << 15;
constexpr std::uint32_t error_receive_illegal_vector = 0x40;
constexpr std::uint8_t flat_model = 0x0f;

constexpr unsigned priority_class(int vector) {
    return vector < 0 ? 0 : static_cast<unsigned>(vector) >> 4;
}

}  // namespace

// ---- Priorities ----

// 11.8.3.1: the higher of the task's class and that of the highest vector in service.
std::uint8_t LocalApic::processor_priority() const {
    const int serving = isr_.highest();
    if ((tpr_ >> 4) >= static_cast<int>(priority_class(serving))) return tpr_;
    return static_cast<std::uint8_t>(serving & 0xf0);
}

// 11.6.2.4
std::uint8_t LocalApic::arbitration_priority() const {
    const unsigned task = tpr_ >> 4u, serving = priority_class(isr_.highest()),
                   requested = priority_class(irr_.highest());
    if (task >= requested && task > serving) return tpr_;
    return static_cast<std::uint8_t>(std::max({task & serving, serving, requested}) << 4);
}

// The vector the CPU would get now, or -1. What IRR holds stays deliverable while software has the
// APIC disabled: it "requires masking or handling by the CPU" (11.4.7.2).
int LocalApic::deliverable() const {
    const int requested = irr_.highest();
    return requested >= 0 && priority_class(requested) > (processor_priority() >> 4u) ? requested
                                                                                      : -1;
}

// With the APIC disabled in IA32_APIC_BASE, LINT0 is the processor's INTR pin.
bool LocalApic::external_pending() const {
    if (!is_enabled()) return lint_[0];
    const auto passes = [this](unsigned pin) {
        const auto entry = static_cast<Lvt>(Lint0 + pin);
        return lint_[pin] && !is_masked(entry) && lvt_mode(entry) == DeliveryMode::External;
    };
    return external_latched_ || passes(0) || passes(1);
}

void LocalApic::update() { intr_.drive(deliverable() >= 0 || external_pending()); }

std::int32_t LocalApic::acknowledge() {
    int vector = deliverable();
    if (vector >= 0) {
        irr_.erase(static_cast<std::uint8_t>(vector));
        isr_.insert(static_cast<std::uint8_t>(vector));
        ++acknowledged_;
    } else if (external_pending() && external_) {
        external_latched_ = false;
        ++external_acknowledged_;
        vector = external_.call<&backplane_interrupt_controller::acknowledge>();
    } else {
        external_latched_ = false;
    }
    update();
    return vector;
}

// ---- Accepting ----

// 11.6.2, 11.12.10.1. No APIC has ID 255, so that an 8-bit "all" stays one in x2APIC mode.
bool LocalApic::is_destination(const InterruptMessage& message) const {
    if (message.destination == InterruptMessage::all ||
        message.destination == InterruptMessage::all_x2apic)
        return true;
    if (!message.logical) return message.destination == id_;
    if (is_x2apic())
        return message.destination >> 16 == logical_id() >> 16 &&
               (message.destination & logical_id() & 0xffff) != 0;
    if (dfr_ == flat_model) return (message.destination & ldr_) != 0;
    return message.destination >> 4 == ldr_ >> 4 && (message.destination & ldr_ & 0x0f) != 0;
}

std::int32_t LocalApic::receive(std::uint64_t address, std::uint32_t data) {
    if (!InterruptMessage::is_message(address) || !is_enabled()) return 0;
    const auto message = InterruptMessage::decode(address, data);
    return is_destination(message) && accept(message);
}

// 11.8.1; a local APIC that software disabled still hears NMI, SMI, INIT and STARTUP.
bool LocalApic::accept(const InterruptMessage& message) {
    switch (message.mode) {
    case DeliveryMode::Fixed:
    case DeliveryMode::LowestPriority:
        if (!is_software_enabled()) return false;
        request(message.vector, message.level_triggered);
        return true;
    case DeliveryMode::Nmi: nmi_.pulse(); return true;
    case DeliveryMode::External:
        external_latched_ = true;
        update();
        return true;
    case DeliveryMode::Init:
        if (message.level_triggered && !message.assert) return true;
        reset_registers();
        update();
        init_.pulse();
        return true;
    // There is no SMRAM and no firmware that would have put a handler there: a processor that
    // entered system management mode would execute nothing but RSM.
    case DeliveryMode::Smi:
        log(LogLevel::Debug, "SMI ignored: this CPU has no system management mode");
        return true;
    case DeliveryMode::Startup:
        // Kept until the CPU takes it, which it does only if it waits for one. The last of several
        // counts, and an INIT forgets them all.
        startup_vector_ = message.vector;
        startup_.pulse();
        return true;
    }
    return false;
}

std::int32_t LocalApic::take_startup() { return std::exchange(startup_vector_, std::int16_t{-1}); }

void LocalApic::request(std::uint8_t vector, bool level_triggered) {
    if (vector < 16) return raise_error(error_receive_illegal_vector);
    ++(irr_.contains(vector) ? merged_ : accepted_);
    irr_.insert(vector);
    if (level_triggered)
        tmr_.insert(vector);
    else
        tmr_.erase(vector);
    update();
}

// Sends to the other CPUs. Lowest priority goes to one of them, in turn.
bool LocalApic::send(const InterruptMessage& message) {
    bool taken = false;
    const std::size_t count = processors_.size();
    for (std::size_t step = 0; step < count; ++step) {
        const std::size_t index = (next_processor_ + step) % count;
        if (processors_[index].object() == this) continue;
        if (processors_[index].call<&backplane_message_interrupt::send>(message.address(),
                                                                        message.data()) == 0)
            continue;
        taken = true;
        if (message.mode != DeliveryMode::LowestPriority) continue;
        next_processor_ = static_cast<std::uint8_t>((index + 1) % count);
        break;
    }
    return taken;
}

// 11.8.5: a level triggered interrupt's end is made known to the I/O APICs, and may be requested
// again at once.
void LocalApic::end_of_interrupt() {
    const int serving = isr_.highest();
    if (serving < 0) return;
    const auto vector = static_cast<std::uint8_t>(serving);
    isr_.erase(vector);
    if (!tmr_.contains(vector)) return;
    tmr_.erase(vector);
    for (unsigned pin = 0; pin < 2; ++pin) {
        auto& entry = lvt_[Lint0 + pin];
        if ((entry & lvt_remote_irr) == 0 || static_cast<std::uint8_t>(entry) != vector) continue;
        entry &= ~lvt_remote_irr;
        drive_lint(pin, false);
    }
    for (const auto& listener : end_listeners_)
        listener.call<&backplane_end_of_interrupt::end>(vector);
}

// ---- Local sources ----

void LocalApic::raise_error(std::uint32_t bit) {
    const bool is_new = (new_errors_ & bit) == 0;
    new_errors_ |= bit;
    if (is_new && !is_masked(Error)) request(static_cast<std::uint8_t>(lvt_[Error]), false);
}

void LocalApic::set_lint(unsigned pin, bool level) {
    const bool rises = level && !lint_[pin];
    lint_[pin] = level;
    if (is_enabled())
        drive_lint(pin, rises);
    else if (rises && pin == 1)
        nmi_.pulse();
    update();
}

// The polarity bit is not looked at: lines are high when asserted. ExtINT is level sensitive and is
// seen by update.
void LocalApic::drive_lint(unsigned pin, bool rises) {
    const auto entry = static_cast<Lvt>(Lint0 + pin);
    if (is_masked(entry)) return;
    const DeliveryMode mode = lvt_mode(entry);
    if (mode != DeliveryMode::Fixed) {
        if (rises && mode != DeliveryMode::External)
            accept({.mode = mode, .vector = static_cast<std::uint8_t>(lvt_[entry])});
        return;
    }
    if ((lvt_[entry] & lvt_level_triggered) == 0) {
        if (rises) request(static_cast<std::uint8_t>(lvt_[entry]), false);
    } else if (lint_[pin] && (lvt_[entry] & lvt_remote_irr) == 0) {
        lvt_[entry] |= lvt_remote_irr;
        request(static_cast<std::uint8_t>(lvt_[entry]), true);
    }
}

void LocalApic::timer_expired() {
    timer_.expired();
    if (is_masked(Timer)) return;
    ++timer_interrupts_;
    request(static_cast<std::uint8_t>(lvt_[Timer]), false);
    schedule_timer();
}

// A masked timer counts on, but nobody needs to be told of its expiry. A deadline that passes is
// gone also then.
void LocalApic::schedule_timer() {
    const bool is_silent = is_masked(Timer) && timer_.mode != TimerMode::Deadline;
    const auto expiry = is_silent ? std::nullopt : timer_.next_expiry(now());
    if (expiry)
        timer_alarm_.start_at(*expiry);
    else
        timer_alarm_.stop();
}

}  // namespace backplane::chipset
