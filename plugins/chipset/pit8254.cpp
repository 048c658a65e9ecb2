#include "pit8254.h"

namespace backplane::chipset {

constexpr unsigned control_word = 3;

// Port 61h
constexpr std::uint8_t gate_2 = 0x01;
constexpr std::uint8_t writable = 0x0f;  // gate, speaker data, SERR# and IOCHK# enable
constexpr std::uint8_t refresh_toggle = 0x10;
constexpr std::uint8_t out_2 = 0x20;
// Memory is refreshed each 15.085 us whether counter 1 was programmed for it or not.
constexpr Pit8254Counter::Tick refresh_ticks = 18;

void Pit8254::declare(Declaration<Pit8254>& d) {
    d.type("chipset.pit8254", "Interval timer with three counters, and system control port B");
    d.property("clock", &Pit8254::clock_, "Frequency of the CLK inputs")
        .range(Hertz{1}, Hertz{100'000'000});
    d.port_window<&Pit8254::read, &Pit8254::write>("registers", 4,
                                                   "Counters and control word, at port 0x40", 1)
        .reg(0, "COUNTER0", "Count of counter 0, in one or two accesses")
        .reg(1, "COUNTER1", "Count of counter 1, in one or two accesses")
        .reg(2, "COUNTER2", "Count of counter 2, in one or two accesses")
        .reg(3, "CONTROL", "Control word, counter latch and read-back commands; write only");
    d.port_window<&Pit8254::read_system_control, &Pit8254::write_system_control>(
         "system-control", 1, "System control port B, at port 0x61", 1)
        .reg(0, "NMISC",
             "Bit 0: gate of counter 2; 1: speaker data; 4: refresh toggle; 5: OUT of counter 2");
    d.line_output("irq", &Pit8254::irq_, "OUT of counter 0");
    d.line_output("out2", &Pit8254::out2_, "OUT of counter 2");
    d.timer<&Pit8254::on_tick>("tick", &Pit8254::tick_timer_);
    d.timer<&Pit8254::on_speaker>("speaker", &Pit8254::speaker_timer_);
    d.saved("NMISC", &Pit8254::system_control_);
    for (unsigned index = 0; index < 3; ++index) {
        const auto save = [&d, index](const char* name, auto member) {
            d.saved(
                "counter" + std::to_string(index) + "." + name,
                [index, member](Pit8254& pit) -> auto& { return pit.counters_[index].*member; });
        };
        save("mode", &Pit8254Counter::mode);
        save("access", &Pit8254Counter::access);
        save("bcd", &Pit8254Counter::bcd);
        save("gate", &Pit8254Counter::gate);
        save("count-register", &Pit8254Counter::count_register);
        save("written", &Pit8254Counter::written);
        save("first-byte", &Pit8254Counter::first_byte);
        save("write-second", &Pit8254Counter::write_second);
        save("read-second", &Pit8254Counter::read_second);
        save("null-count", &Pit8254Counter::null_count);
        save("loaded", &Pit8254Counter::loaded);
        save("count", &Pit8254Counter::count);
        save("origin", &Pit8254Counter::origin);
        save("retriggered", &Pit8254Counter::retriggered);
        save("paused", &Pit8254Counter::paused);
        save("held", &Pit8254Counter::held);
        save("reload-pending", &Pit8254Counter::reload_pending);
        save("reload-into-low-half", &Pit8254Counter::reload_into_low_half);
        save("reload-at", &Pit8254Counter::reload_at);
        save("count-latched", &Pit8254Counter::count_latched);
        save("status-latched", &Pit8254Counter::status_latched);
        save("latched-count", &Pit8254Counter::latched_count);
        save("latched-status", &Pit8254Counter::latched_status);
    }
}

// The 8254 has no reset input and "powers up in an undefined state"; a defined one, that ticks
// nobody, is as good.
void Pit8254::reset(ResetKind) {
    counters_ = {};
    counters_[2].gate = false;
    system_control_ = 0;
    tick_timer_.stop();
    speaker_timer_.stop();
    update();
}

std::uint64_t Pit8254::read(std::uint64_t offset, unsigned) {
    if (offset == control_word) return 0xff;
    auto& counter = counters_[offset];
    counter.synchronize(tick());
    return counter.read_data(tick());
}

void Pit8254::write(std::uint64_t offset, unsigned, std::uint64_t data) {
    const auto value = static_cast<std::uint8_t>(data);
    const auto now = tick();
    catch_up(now);
    if (offset != control_word) {
        counters_[offset].write_data(value, now);
    } else if (value >> 6 == 3) {
        read_back(value, now);
    } else if ((value >> 4 & 3) == 0) {
        counters_[value >> 6].latch_count(now);
    } else {
        counters_[value >> 6].write_control(value);
    }
    update();
}

void Pit8254::read_back(std::uint8_t command, Pit8254Counter::Tick now) {
    for (unsigned index = 0; index < 3; ++index) {
        if ((command >> (index + 1) & 1) == 0) continue;
        if ((command & 0x20) == 0) counters_[index].latch_count(now);
        if ((command & 0x10) == 0) counters_[index].latch_status(now);
    }
}

std::uint64_t Pit8254::read_system_control(std::uint64_t, unsigned) {
    const auto now = tick();
    counters_[2].synchronize(now);
    std::uint8_t value = system_control_;
    if ((now / refresh_ticks & 1) != 0) value |= refresh_toggle;
    if (counters_[2].out(now)) value |= out_2;
    return value;
}

void Pit8254::write_system_control(std::uint64_t, unsigned, std::uint64_t value) {
    system_control_ = static_cast<std::uint8_t>(value) & writable;
    catch_up(tick());
    counters_[2].set_gate((system_control_ & gate_2) != 0, tick());
    update();
}

// Timers run late on a busy host, later than the one CLK for which OUT is low in mode 2. Each edge
// is therefore driven as of its own tick, in order, so that an edge-triggered input sees every
// pulse.
void Pit8254::pass_edge(Pit8254Counter& counter, Line& line, Timer& timer) {
    const auto edge = static_cast<Pit8254Counter::Tick>(clock_.ticks(timer.deadline()));
    counter.synchronize(edge);
    drive(counter, line, timer, edge);
    // After a long sleep of the host nobody wants them all: one stands for the rest.
    const auto now = tick();
    if (now - edge <= static_cast<Pit8254Counter::Tick>(clock_.value)) return;
    counter.synchronize(now);
    drive(counter, line, timer, now);
}

// Before anything is programmed, the edges up to now that the timers still owe.
void Pit8254::catch_up(Pit8254Counter::Tick now) {
    const auto owes = [&](const Timer& timer) {
        return timer.is_running() &&
               static_cast<Pit8254Counter::Tick>(clock_.ticks(timer.deadline())) <= now;
    };
    while (owes(tick_timer_))
        on_tick();
    while (owes(speaker_timer_))
        on_speaker();
    for (auto& counter : counters_)
        counter.synchronize(now);
}

void Pit8254::update() {
    const auto now = tick();
    catch_up(now);
    drive(counters_[0], irq_, tick_timer_, now);
    drive(counters_[2], out2_, speaker_timer_, now);
}

// A line nobody listens to needs no timer: its level can be computed whenever it is asked for.
void Pit8254::drive(Pit8254Counter& counter, Line& line, Timer& timer, Pit8254Counter::Tick now) {
    line.drive(counter.out(now));
    const auto change = line.is_connected() ? counter.next_change(now) : std::nullopt;
    if (change)
        timer.start_at(clock_.span(static_cast<std::uint64_t>(*change)));
    else
        timer.stop();
}

}  // namespace backplane::chipset
