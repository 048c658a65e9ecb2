#include "rtc_mc146818.h"

#include <algorithm>
#include <bit>

namespace backplane::chipset {

namespace {

using namespace std::chrono_literals;

enum Register : unsigned {
    second = 0x0,
    second_alarm,
    minute,
    minute_alarm,
    hour,
    hour_alarm,
    weekday,
    day,
    month,
    year,
    a,
    b,
    c,
    d,
    century = 0x32
};

namespace reg_a {
constexpr std::uint8_t update_in_progress = 0x80;
constexpr std::uint8_t divider = 0x70, divider_32768_hz = 0x20;
constexpr std::uint8_t rate = 0x0f;
constexpr std::uint8_t power_on = divider_32768_hz | 6;  // 1024 Hz, as firmware sets it
}  // namespace reg_a

namespace reg_b {
constexpr std::uint8_t set = 0x80;
constexpr std::uint8_t square_wave = 0x08;
constexpr std::uint8_t binary = 0x04;
constexpr std::uint8_t hours_24 = 0x02;
constexpr std::uint8_t daylight_saving = 0x01;
}  // namespace reg_b

// The same bits enable in B and flag in C.
constexpr std::uint8_t periodic = 0x40, alarm = 0x20, update_ended = 0x10;
constexpr std::uint8_t interrupts = periodic | alarm | update_ended;
constexpr std::uint8_t irq_flag = 0x80;
constexpr std::uint8_t valid_ram_and_time = 0x80;
constexpr std::uint8_t dont_care = 0xc0;

// An update cycle takes 1984 us and UIP announces it 244 us ahead; the new second is there when it
// ends.
constexpr Duration update_cycle = 1984us + 244us;
// "The first update cycle occurs one-half second later" when the divider is released.
constexpr Duration divider_release = 500ms;
constexpr Hertz divider_clock{32'768};

// Where a time register's byte lies in RtcTime; -1 for the others.
int time_field(unsigned index) {
    switch (index) {
    case second: return 0;
    case minute: return 1;
    case hour: return 2;
    case weekday: return 3;
    case day: return 4;
    case month: return 5;
    case year: return 6;
    case century: return 7;
    default: return -1;
    }
}

constexpr int weekday_field = 3;

}  // namespace

void RtcMc146818::declare(Declaration<RtcMc146818>& d) {
    d.type("chipset.rtc-mc146818", "Real-time clock and CMOS RAM");
    d.property(
        "time", &RtcMc146818::time_,
        "Time of day (UTC) at power-on, as 2024-02-29T23:59:58Z, or host: the host's clock, but "
        "2025-01-01 in deterministic machines");
    d.property("boot-order", &RtcMc146818::boot_order_,
               "For firmware that looks here: a floppy, c hard disk, d CD, n network; up to three");
    static constexpr std::initializer_list<const char*> drives{"none", "360k",  "1.2m",
                                                               "720k", "1.44m", "2.88m"};
    d.property("floppy0", &RtcMc146818::floppy0_, drives, "First diskette drive");
    d.property("floppy1", &RtcMc146818::floppy1_, drives, "Second diskette drive");
    d.property("cpus", &RtcMc146818::cpus_, "How many CPUs firmware has to find")
        .range(std::uint8_t{1}, std::uint8_t{255});
    d.port_window<&RtcMc146818::read, &RtcMc146818::write>("registers", 2,
                                                           "Index and data, at port 0x70", 1)
        .reg(0, "INDEX", "Bits 6-0: register; bit 7: NMI mask, stored only; write only")
        .reg(1, "DATA", "The indexed register: time, alarm, A to D, or RAM");
    d.port_window<&RtcMc146818::read_extended, &RtcMc146818::write_extended>(
         "extended", 2, "Index and data of another 128 bytes of RAM, at port 0x72", 1)
        .reg(0, "EXTENDED INDEX", "Bits 6-0: which byte")
        .reg(1, "EXTENDED DATA", "The indexed byte");
    d.line_output("irq", &RtcMc146818::irq_, "Periodic, alarm and update-ended interrupts");
    d.address_space("memory", &RtcMc146818::memory_, "Whose RAM the memory size bytes tell");
    d.timer<&RtcMc146818::update>("interrupt", &RtcMc146818::timer_);
    d.saved("index", &RtcMc146818::index_);
    d.saved("ram", &RtcMc146818::ram_);
    d.saved("frozen-time", &RtcMc146818::frozen_);
    d.saved("is-frozen", &RtcMc146818::is_frozen_);
    d.saved("base-seconds", &RtcMc146818::base_seconds_);
    d.saved("base", &RtcMc146818::base_);
    d.saved("weekday-shift", &RtcMc146818::weekday_shift_);
    d.saved("caught-up", &RtcMc146818::caught_up_);
    d.saved("fell-back-at", &RtcMc146818::fell_back_at_);
    d.saved("extended-index", &RtcMc146818::extended_index_);
    d.saved("extended-ram", &RtcMc146818::extended_ram_);
}

Outcome RtcMc146818::start() {
    const auto order = parse_boot_order(boot_order_);
    if (!order) return std::unexpected{"boot-order '" + boot_order_ + "' " + order.error()};
    boot_devices_ = *order;
    if (time_ == "host") {
        base_seconds_ = host().date_at_start(host().context);
        return {};
    }
    const auto seconds = rtc_parse(time_);
    if (!seconds)
        return std::unexpected{"time is '" + time_ +
                               "'; expected host or UTC as 2024-02-29T23:59:58Z"};
    base_seconds_ = *seconds;
    return {};
}

// The RESET pin clears interrupt enables and flags; time, alarm and RAM live on the battery.
void RtcMc146818::reset(ResetKind kind) {
    if (kind == ResetKind::PowerOn) {
        ram_ = {};
        ram_[Register::a] = reg_a::power_on;
        ram_[Register::b] = reg_b::hours_24;
        ram_[Register::d] = valid_ram_and_time;
        base_seconds_ = seconds(now());
        base_ = caught_up_ = now();
        is_frozen_ = false;
        weekday_shift_ = 0;
        fell_back_at_ = 0;
        extended_index_ = 0;
        extended_ram_ = {};
        fill_ram();
    }
    index_ = 0;
    catch_up();
    ram_[Register::b] &= static_cast<std::uint8_t>(~(interrupts | reg_b::square_wave));
    ram_[Register::c] = 0;
    update();
}

// The map itself tells how much memory there is, so the two never disagree.
void RtcMc146818::fill_ram() {
    constexpr std::uint64_t mib = 1 << 20, gib4 = std::uint64_t{1} << 32;
    const backplane_range low = memory_.find(mib), high = memory_.find(gib4);
    CmosContents contents{
        .floppies = {floppy0_, floppy1_}, .boot_order = boot_devices_, .cpus = cpus_};
    if (low.memory != nullptr)
        contents.memory_above_1_mib = std::min(low.start + low.length, gib4) - mib;
    if (high.memory != nullptr) contents.memory_above_4_gib = high.start + high.length - gib4;
    fill_cmos(ram_, contents);
}

// ---- Time ----

RtcFormat RtcMc146818::format() const {
    return {.binary = (ram_[Register::b] & reg_b::binary) != 0,
            .hours_24 = (ram_[Register::b] & reg_b::hours_24) != 0};
}

// A PC's crystal has 32768 Hz; dividers for other crystals would run the clock at a wrong speed,
// here they stop it.
bool RtcMc146818::divider_runs() const {
    return (ram_[Register::a] & reg_a::divider) == reg_a::divider_32768_hz;
}
bool RtcMc146818::time_runs() const {
    return divider_runs() && (ram_[Register::b] & reg_b::set) == 0;
}

std::int64_t RtcMc146818::seconds(Duration instant) const {
    return base_seconds_ +
           std::chrono::duration_cast<std::chrono::seconds>(instant - base_).count();
}

RtcTime RtcMc146818::current_time() const {
    if (is_frozen_) return std::bit_cast<RtcTime>(frozen_);
    const std::int64_t current = seconds(now());
    RtcTime time = rtc_encode(current, format());
    time.weekday = rtc_encode_number((rtc_weekday(current) - 1 + weekday_shift_) % 7 + 1, format());
    return time;
}

// Keeps the phase of the divider: only whole seconds are set.
void RtcMc146818::set_time(const RtcTime& time) {
    const std::int64_t target = rtc_decode(time, format());
    base_seconds_ += target - seconds(now());
    const unsigned written = rtc_decode_number(time.weekday, format());
    weekday_shift_ = static_cast<std::uint8_t>((written + 14 - rtc_weekday(target)) % 7);
    fell_back_at_ = 0;
}

void RtcMc146818::freeze() {
    if (is_frozen_) return;
    frozen_ = std::bit_cast<std::array<std::uint8_t, 8>>(current_time());
    is_frozen_ = true;
}

void RtcMc146818::thaw() {
    if (!is_frozen_) return;
    is_frozen_ = false;
    set_time(std::bit_cast<RtcTime>(frozen_));
}

bool RtcMc146818::update_in_progress() const {
    return time_runs() && (now() - base_) % 1s >= 1s - update_cycle;
}

// ---- Interrupts ----

// Periods of the 32768 Hz crystal between periodic interrupts; 0 = never. Rates 1 and 2 are those
// of 8 and 9.
std::int64_t RtcMc146818::periodic_ticks() const {
    const unsigned rate = ram_[Register::a] & reg_a::rate;
    if (rate == 0 || !divider_runs()) return 0;
    return std::int64_t{1} << (rate <= 2 ? rate + 6 : rate - 1);
}

std::int64_t RtcMc146818::divider_ticks(Duration instant) const {
    return static_cast<std::int64_t>(divider_clock.ticks(instant - base_));
}

// Seconds from second `from` until the alarm goes off next, at least 1; 0 = never.
unsigned RtcMc146818::seconds_to_alarm(std::int64_t from) const {
    constexpr unsigned day_length = 86'400;
    const auto matches = [](std::uint8_t wanted, unsigned value) {
        return (wanted & dont_care) == dont_care || wanted == value;
    };
    const auto start = static_cast<unsigned>(((from % day_length) + day_length) % day_length);
    for (unsigned ahead = 1; ahead <= day_length;) {
        const unsigned candidate = (start + ahead) % day_length;
        if (!matches(ram_[hour_alarm], rtc_encode_hour(candidate / 3600, format())))
            ahead += 3600 - candidate % 3600;
        else if (!matches(ram_[minute_alarm], rtc_encode_number(candidate / 60 % 60, format())))
            ahead += 60 - candidate % 60;
        else if (!matches(ram_[second_alarm], rtc_encode_number(candidate % 60, format())))
            ++ahead;
        else
            return ahead;
    }
    return 0;
}

std::optional<RtcDaylightChange> RtcMc146818::daylight_change() const {
    if ((ram_[Register::b] & reg_b::daylight_saving) == 0 || !time_runs()) return std::nullopt;
    const auto change = rtc_next_daylight_change(seconds(caught_up_), weekday_shift_);
    if (change.at != fell_back_at_) return change;
    return rtc_next_daylight_change(change.at, weekday_shift_);
}

// When the clock has shown or is going to show `second`.
Duration RtcMc146818::begin_of(std::int64_t second) const {
    return base_ + std::chrono::seconds{second - base_seconds_};
}

// Nothing runs unless an interrupt is wanted, so what happened since the last time is made up for.
void RtcMc146818::catch_up() {
    while (const auto change = daylight_change()) {
        if (seconds(now()) < change->at) break;
        catch_up_to(begin_of(change->at) - 1ns);
        base_seconds_ += change->shift;
        if (change->shift < 0) fell_back_at_ = change->at;
    }
    catch_up_to(now());
}

// The flags of C.
void RtcMc146818::catch_up_to(Duration to) {
    const Duration from = caught_up_;
    caught_up_ = to;
    std::uint8_t& flags = ram_[Register::c];
    if (const std::int64_t period = periodic_ticks();
        period != 0 && divider_ticks(to) / period > divider_ticks(from) / period)
        flags |= periodic;
    if (!time_runs() || seconds(to) == seconds(from)) return;
    flags |= update_ended;
    if ((flags & alarm) != 0) return;
    const unsigned ahead = seconds_to_alarm(seconds(from));
    if (ahead != 0 && seconds(from) + ahead <= seconds(to)) flags |= alarm;
}

// Drives the line, and sets the timer for the next enabled event that is not flagged yet.
void RtcMc146818::update() {
    catch_up();
    std::uint8_t& flags = ram_[Register::c];
    const std::uint8_t enabled = ram_[Register::b] & interrupts;
    flags = static_cast<std::uint8_t>((flags & interrupts) |
                                      ((flags & enabled) != 0 ? irq_flag : 0));
    irq_.drive((flags & irq_flag) != 0);

    Duration next = Duration::max();
    const auto missing = static_cast<std::uint8_t>(enabled & ~flags);
    if ((flags & irq_flag) == 0) {
        if (const std::int64_t period = periodic_ticks();
            (missing & periodic) != 0 && period != 0) {
            const std::int64_t tick = (divider_ticks(now()) / period + 1) * period;
            next = base_ + divider_clock.span(static_cast<std::uint64_t>(tick));
        }
        if (time_runs()) {
            const std::int64_t current = seconds(now());
            if ((missing & update_ended) != 0) {
                next = std::min(next, begin_of(current + 1));
            } else if ((missing & alarm) != 0) {
                if (const unsigned ahead = seconds_to_alarm(current); ahead != 0)
                    next = std::min(next, begin_of(current + ahead));
                if (const auto change = daylight_change())
                    next = std::min(next, begin_of(change->at));
            }
        }
    }
    if (next == Duration::max())
        timer_.stop();
    else
        timer_.start_at(next);
}

// ---- Registers ----

std::uint64_t RtcMc146818::read(std::uint64_t offset, unsigned) {
    return offset == 0 ? 0xff : read_register(index_ & 0x7f);
}

void RtcMc146818::write(std::uint64_t offset, unsigned, std::uint64_t value) {
    if (offset == 0)
        index_ = static_cast<std::uint8_t>(value);
    else
        write_register(index_ & 0x7f, static_cast<std::uint8_t>(value));
}

std::uint64_t RtcMc146818::read_extended(std::uint64_t offset, unsigned) {
    return offset == 0 ? extended_index_ : extended_ram_[extended_index_];
}

void RtcMc146818::write_extended(std::uint64_t offset, unsigned, std::uint64_t value) {
    if (offset == 0)
        extended_index_ = value & 0x7f;
    else
        extended_ram_[extended_index_] = static_cast<std::uint8_t>(value);
}

std::uint8_t RtcMc146818::read_register(unsigned index) {
    if ((ram_[Register::b] & reg_b::daylight_saving) != 0) update();  // it may be another hour now
    if (const int field = time_field(index); field >= 0)
        return std::bit_cast<std::array<std::uint8_t, 8>>(
            current_time())[static_cast<unsigned>(field)];
    if (index == Register::a)
        return static_cast<std::uint8_t>(ram_[index] |
                                         (update_in_progress() ? reg_a::update_in_progress : 0));
    if (index == Register::c) return read_c();
    return ram_[index];
}

std::uint8_t RtcMc146818::read_c() {
    update();
    const std::uint8_t flags = ram_[Register::c];
    ram_[Register::c] = 0;
    update();
    return flags;
}

void RtcMc146818::write_register(unsigned index, std::uint8_t value) {
    catch_up();
    if (time_field(index) >= 0)
        write_time(static_cast<unsigned>(time_field(index)), value);
    else if (index == Register::a)
        write_a(value);
    else if (index == Register::b)
        write_b(value);
    else if (index != Register::c && index != Register::d)
        ram_[index] = value;
    update();
}

// Without SET a write takes effect in the running time, which is what a chip does outside its
// update cycle.
void RtcMc146818::write_time(unsigned index, std::uint8_t value) {
    auto fields = std::bit_cast<std::array<std::uint8_t, 8>>(current_time());
    fields[index] = value;
    if (is_frozen_)
        frozen_ = fields;
    else if (index == weekday_field)
        weekday_shift_ = static_cast<std::uint8_t>(
            (rtc_decode_number(value, format()) + 14 - rtc_weekday(seconds(now()))) % 7);
    else
        set_time(std::bit_cast<RtcTime>(fields));
}

void RtcMc146818::write_a(std::uint8_t value) {
    const bool ran = divider_runs();
    if (!ran || (value & reg_a::divider) != reg_a::divider_32768_hz) freeze();
    ram_[Register::a] = value & static_cast<std::uint8_t>(~reg_a::update_in_progress);
    if (ran || !divider_runs()) return;
    const std::int64_t current = seconds(now());
    base_ = now() - divider_release;
    base_seconds_ = current;
    if (time_runs()) thaw();
}

void RtcMc146818::write_b(std::uint8_t value) {
    if ((value & reg_b::set) != 0) {
        freeze();
        value &= static_cast<std::uint8_t>(~update_ended);  // SET clears UIE
    }
    ram_[Register::b] = value;
    if (time_runs()) thaw();
}

}  // namespace backplane::chipset
