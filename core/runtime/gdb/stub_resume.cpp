// Going on and stopping: vCont, c, s, D, k, ?, and what is told of a stop.
#include "runtime/gdb/hex.h"
#include "runtime/gdb/step_bits.h"
#include "runtime/gdb/stub.h"

#include <fmt/format.h>

#include <algorithm>

namespace backplane::runtime::gdb {

namespace {

// GDB's own numbers (include/gdb/signals.def in its sources).
enum class Signal : unsigned { Interrupt = 2, Trap = 5, SegmentationFault = 11 };

Signal signal_of(StateChange change) {
    switch (change) {
    case StateChange::Breakpoint:
    case StateChange::Watchpoint:
    case StateChange::Stepped: return Signal::Trap;
    case StateChange::Shutdown: return Signal::SegmentationFault;
    default: return Signal::Interrupt;
    }
}

}  // namespace

Stub::Reply Stub::why_stopped() {
    machine_.control().pause_on_shutdown(true);
    if (machine_.control().is_paused()) return stop_reply(last_stop_);
    awaits_stop_ = true;
    machine_.control().pause("a debugger attached");
    return std::nullopt;
}

std::string Stub::stop_reply(const StateEvent& event) {
    std::size_t index = selected_;
    for (std::size_t each = 0; each < cpu_count(); ++each)
        if (&cpu(each) == event.cpu) index = each;
    selected_ = continued_ = index;
    std::string text = fmt::format(
        "T{:02x}thread:{};", static_cast<unsigned>(signal_of(event.change)), thread_id(index));
    if (event.change == StateChange::Watchpoint) {
        const char* kind = event.kind == BACKPLANE_BREAK_WRITE  ? "watch"
                           : event.kind == BACKPLANE_BREAK_READ ? "rwatch"
                                                                : "awatch";
        text += fmt::format("{}:{:x};", kind, event.address);
    }
    if (event.change == StateChange::Breakpoint && tells_breakpoints_) {
        const bool is_software = std::ranges::any_of(breakpoints_, [&](const Breakpoint& each) {
            return std::get<0>(each) == '0' && std::get<1>(each) == event.address;
        });
        text += is_software ? "swbreak:;" : "hwbreak:;";
    }
    return text;
}

void Stub::changed(const StateEvent& event) {
    switch (event.change) {
    case StateChange::Resumed:
    case StateChange::Reset: return;
    case StateChange::PoweredOff:
        if (awaits_stop_) send_(fmt::format("W{:02x}", event.exit_code & 0xff));
        return;
    default: break;
    }
    last_stop_ = event;
    if (!awaits_stop_) return;
    awaits_stop_ = false;
    if (event.change == StateChange::Shutdown) send_("O" + to_hex(event.why + "\n"));
    send_(stop_reply(event));
}

Stub::Reply Stub::resume(const std::vector<Order>& orders) {
    for (std::size_t index = 0; index < cpu_count(); ++index) {
        cpu(index).set_mode(orders[index].mode, orders[index].range);
        cpu(index).set_step_flags(
            (step_bits_ & step_bits::no_interrupts) != 0 ? BACKPLANE_STEP_NO_INTERRUPTS : 0);
    }
    awaits_stop_ = true;
    machine_.control().resume();
    return std::nullopt;
}

// What a vCont action wants of a CPU. Signals mean nothing to a machine.
std::optional<Stub::Order> Stub::order_of(std::string_view action) {
    using Mode = VirtualCpu::Mode;
    if (action.empty()) return std::nullopt;
    switch (action.front()) {
    case 'c':
    case 'C': return Order{Mode::Run};
    case 's':
    case 'S': return Order{Mode::Step};
    case 't': return Order{Mode::Hold};
    case 'r': {
        action.remove_prefix(1);
        const auto start = number_from_hex(take_until(action, ','));
        const auto end = number_from_hex(action);
        if (!start || !end) return std::nullopt;
        return Order{Mode::Step, {.start = *start, .end = *end}};
    }
    default: return std::nullopt;
    }
}

// action[:thread];... The first that names a thread counts for it; threads without stay stopped.
Stub::Reply Stub::resume_as_told(std::string_view actions) {
    std::vector<std::optional<Order>> chosen(cpu_count());
    while (!actions.empty()) {
        std::string_view action = take_until(actions, ';');
        const auto order = order_of(take_until(action, ':'));
        const auto who = action.empty() ? ThreadId{.is_all = true} : thread(action);
        if (!order || !who) return error::bad_packet;
        for (std::size_t index = 0; index < cpu_count(); ++index)
            if ((who->is_all || index == who->index) && !chosen[index]) chosen[index] = order;
    }
    std::vector<Order> orders;
    for (const auto& each : chosen)
        orders.push_back(each.value_or(Order{}));
    return resume(orders);
}

// c [addr], s [addr], C sig[;addr], S sig[;addr].
Stub::Reply Stub::resume_one(std::string_view packet) {
    const char what = packet.front();
    packet.remove_prefix(1);
    if (what == 'C' || what == 'S') take_until(packet, ';');
    if (!packet.empty()) return "";  // vCont has replaced it
    std::vector orders(cpu_count(), Order{VirtualCpu::Mode::Run});
    if (what == 's' || what == 'S') orders[continued_] = Order{VirtualCpu::Mode::Step};
    return resume(orders);
}

Stub::Reply Stub::detach() {
    let_go();
    machine_.control().resume();
    return "OK";
}

Stub::Reply Stub::kill(bool is_confirmed) {
    let_go();
    machine_.request_power_off(0, "ended by the debugger");
    if (is_confirmed) return "OK";
    return std::nullopt;
}

}  // namespace backplane::runtime::gdb
