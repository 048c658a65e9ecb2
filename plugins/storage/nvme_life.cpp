#include "nvme_controller.h"

#include <algorithm>

namespace backplane::storage::nvme {

namespace {

constexpr std::uint32_t no_answer = ~std::uint32_t{0};

std::uint64_t with_low(std::uint64_t value, std::uint32_t half) {
    return (value & 0xffff'ffff'0000'0000) | half;
}
std::uint64_t with_high(std::uint64_t value, std::uint32_t half) {
    return (value & 0xffff'ffff) | std::uint64_t{half} << 32;
}

}  // namespace

// Registers are accessed as a whole, or those of 64 bits in halves. (3.1)
std::uint64_t Controller::read_registers(std::uint64_t offset, unsigned size) {
    if (is_on_the_bus_) return no_answer;
    return read_register(offset & ~std::uint64_t{3}) >> (offset % 4 * 8) & low_bits(size * 8);
}

void Controller::write_registers(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (is_on_the_bus_ || size != 4 || offset % 4 != 0) return;
    const OnTheBus guard{*this};
    write_register(offset, static_cast<std::uint32_t>(value));
}

std::uint32_t Controller::read_register(std::uint64_t offset) const {
    switch (offset) {
    case reg::CAP: return static_cast<std::uint32_t>(capabilities());
    case reg::CAP + 4: return static_cast<std::uint32_t>(capabilities() >> 32);
    case reg::VS: return version;
    case reg::INTMS:
    case reg::INTMC: return interrupts_.mask();
    case reg::CC: return cc_;
    case reg::CSTS: return csts_;
    case reg::AQA: return aqa_;
    case reg::ASQ: return static_cast<std::uint32_t>(asq_);
    case reg::ASQ + 4: return static_cast<std::uint32_t>(asq_ >> 32);
    case reg::ACQ: return static_cast<std::uint32_t>(acq_);
    case reg::ACQ + 4: return static_cast<std::uint32_t>(acq_ >> 32);
    default: return 0;
    }
}

void Controller::write_register(std::uint64_t offset, std::uint32_t value) {
    constexpr std::uint32_t page_bits = ~std::uint32_t{0xfff};
    if (offset >= reg::doorbells) return ring((offset - reg::doorbells) / 4, value);
    switch (offset) {
    case reg::INTMS: return interrupts_.set_mask(value);
    case reg::INTMC: return interrupts_.clear_mask(value);
    case reg::CC: return write_configuration(value);
    case reg::AQA: aqa_ = value & AQA::writable; break;
    case reg::ASQ: asq_ = with_low(asq_, value & page_bits); break;
    case reg::ASQ + 4: asq_ = with_high(asq_, value); break;
    case reg::ACQ: acq_ = with_low(acq_, value & page_bits); break;
    case reg::ACQ + 4: acq_ = with_high(acq_, value); break;
    default: break;
    }
}

// A guest that allows bus mastering late, or chooses another kind of interrupts.
void Controller::config_written(unsigned, unsigned) {
    const bool is_reset = express_.take_reset(pci_.config());
    if (is_on_the_bus_) return;
    if (is_reset) {
        pci_.reset();
        reset(ResetKind::Machine);
    }
    interrupts_.update_pin();
    work();
}

void Controller::write_configuration(std::uint32_t value) {
    const std::uint32_t before = cc_;
    cc_ = value & CC::writable;
    if ((before & CC::EN) == 0 && (cc_ & CC::EN) != 0) {
        // The reset before is still going on: this comes after it.
        if (!is_resetting_) enable();
    } else if ((before & CC::EN) != 0 && (cc_ & CC::EN) == 0) {
        begin_reset();
    } else if ((before & CC::EN) != 0) {
        // The rest must not change meanwhile. (3.1.5)
        constexpr std::uint32_t shn = 0xc000;
        cc_ = (before & ~shn) | (cc_ & shn);
    }
    if (CC::shn(before) == 0 && CC::shn(cc_) != 0) begin_shutdown();
}

void Controller::enable() {
    const bool is_possible = CC::css(cc_) == 0 && CC::ams(cc_) <= CC::weighted_round_robin &&
                             CC::page_shift(cc_) <= largest_page_shift &&
                             AQA::submission_entries(aqa_) >= 2 &&
                             AQA::completion_entries(aqa_) >= 2;
    if (!is_possible) {
        log(LogLevel::Warning, "cannot be enabled with CC = ", Hex{cc_}, " and AQA = ", Hex{aqa_});
        csts_ |= CSTS::CFS;
        return;
    }
    queues_.completion.create(0, acq_, AQA::completion_entries(aqa_));
    queues_.submission.create(0, asq_, AQA::submission_entries(aqa_), 0, Priority::Urgent);
    csts_ = CSTS::RDY;
}

// What images are doing for the guest cannot be stopped: the controller stays ready until they are
// done with its memory.
void Controller::begin_reset() {
    forget_everything();
    is_resetting_ = true;
    if (abandoned_ == 0) finish_reset();
}

void Controller::finish_reset() {
    is_resetting_ = false;
    csts_ = 0;
    if ((cc_ & CC::EN) != 0) enable();
}

void Controller::forget_everything() {
    abandon_requests();
    queues_ = {};
    next_queue_ = 0;
    next_class_ = Priority::High;
    next_of_class_ = {};
    features_ = {};
    events_.reset();
    namespaces_changed_ = {};
    shadow_enabled_ = false;
    shadow_doorbells_ = event_indices_ = 0;
    work_timer_.stop();
    interrupts_.reset();
}

void Controller::abandon_requests() {
    access_timer_.stop();
    deletes_ = {};
    for (Request& request : requests_.running) {
        if (requests_.stage[request.index] == Requests::Stage::None) continue;
        if (request.is_pending) {
            request.is_abandoned = true;
            ++abandoned_;
        }
        release(request);
    }
}

// What was written is on stable storage before the power goes. (7.6.2)
void Controller::begin_shutdown() {
    csts_ = (csts_ & ~CSTS::SHST) | CSTS::shutdown_occurs;
    if (!requests_.is_free(Requests::of_shutdown)) return;
    Request& request = requests_.running[Requests::of_shutdown];
    Command command;
    command.dwords[0] = static_cast<std::uint32_t>(IoOpcode::Flush);
    command.dwords[1] = all_namespaces;
    requests_.command[request.index] = command.dwords;
    requests_.queue[request.index] = Requests::no_queue;
    requests_.order[request.index] = ++requests_.last_order;
    run(request);
}

void Controller::reset(ResetKind kind) {
    const OnTheBus guard{*this};
    const bool was_used = (csts_ & CSTS::RDY) != 0;
    if (kind == ResetKind::PowerOn) {
        health_ = {};
        errors_ = {};
    } else if (was_used && (csts_ & CSTS::SHST) != CSTS::shutdown_complete) {
        ++health_.unsafe_shutdowns;
    }
    express_.reset(pci_.config());
    cc_ = 0;
    is_resetting_ = false;
    forget_everything();
    wait_for_images();
    csts_ = 0;
    aqa_ = 0;
    asq_ = acq_ = 0;
    requests_.last_order = 0;
}

void Controller::namespace_changed(std::uint32_t id) {
    namespaces_changed_[id - 1] = true;
    if ((features_.event_configuration & Features::namespace_notices) == 0) return;
    const OnTheBus guard{*this};
    events_.add(namespace_attribute_changed);
    send_events();
}

}  // namespace backplane::storage::nvme
