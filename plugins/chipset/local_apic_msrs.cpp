#include "local_apic.h"
#include "local_apic_registers.h"

namespace backplane::chipset {

using namespace local_apic;

namespace {

constexpr std::uint32_t ia32_apic_base = 0x1b, ia32_tsc_deadline = 0x6e0, x2apic_first = 0x800;
constexpr std::uint32_t x2apic_count = 0x100;

constexpr bool is_in(unsigned index, unsigned first, unsigned count) {
    return index - first < count;
}

// Table 11-6: LVT entries are thermal sensor to error, as the version register says.
constexpr unsigned lvt_entries = 6;

constexpr bool is_readable(unsigned index) {
    if (is_in(index, isr_reg, 8) || is_in(index, tmr_reg, 8) || is_in(index, irr_reg, 8))
        return true;
    if (is_in(index, lvt_reg, lvt_entries)) return true;
    switch (index) {
    case id_reg:
    case version_reg:
    case tpr_reg:
    case ppr_reg:
    case ldr_reg:
    case svr_reg:
    case esr_reg:
    case icr_low_reg:
    case initial_count_reg:
    case current_count_reg:
    case divide_configuration_reg: return true;
    default: return false;
    }
}

// The bits that may be set in a write; none where the register cannot be written. (11.12.1.3)
constexpr std::uint64_t writable_bits(unsigned index) {
    if (is_in(index, lvt_reg, lvt_entries)) return index == lvt_reg ? 0x710ff : 0x1f7ff;
    switch (index) {
    case tpr_reg: return 0xff;
    case svr_reg: return 0x1fff;
    case icr_low_reg: return 0xffff'ffff'000c'cfff;
    case initial_count_reg: return 0xffff'ffff;
    case divide_configuration_reg: return 0x0b;
    case self_ipi_reg: return 0xff;
    default: return 0;
    }
}

constexpr bool is_write_of_zero(unsigned index) { return index == eoi_reg || index == esr_reg; }

}  // namespace

bool LocalApic::is_enabled() const { return (base_ & base_bits::enable) != 0; }
bool LocalApic::is_x2apic() const { return (base_ & base_bits::x2apic) != 0; }

// 11.12.10.2: the logical ID of an x2APIC follows from its ID, 16 to a cluster.
std::uint32_t LocalApic::logical_id() const {
    if (!is_x2apic()) return std::uint32_t{ldr_} << 24;
    return std::uint32_t{id_} >> 4 << 16 | 1u << (id_ & 15);
}

std::int32_t LocalApic::read_msr(std::uint32_t index, std::uint64_t* value) {
    if (index == ia32_apic_base) {
        *value = base_;
        return 1;
    }
    if (index == ia32_tsc_deadline) {
        *value = static_cast<std::uint64_t>(timer_.deadline.count());
        return 1;
    }
    return is_in(index, x2apic_first, x2apic_count) && read_x2apic(index - x2apic_first, *value);
}

std::int32_t LocalApic::write_msr(std::uint32_t index, std::uint64_t value) {
    if (index == ia32_apic_base) return write_base(value);
    if (index == ia32_tsc_deadline) {
        timer_.write_deadline(Duration{static_cast<std::int64_t>(value)});
        schedule_timer();
        return 1;
    }
    return is_in(index, x2apic_first, x2apic_count) && write_x2apic(index - x2apic_first, value);
}

// Figure 11-27: x2APIC mode is entered from xAPIC mode, and left only by disabling the APIC.
bool LocalApic::write_base(std::uint64_t value) {
    if ((value & ~(base_bits::address | base_bits::enable | base_bits::x2apic |
                   base_bits::boot_processor)) != 0)
        return false;
    const bool was_enabled = is_enabled(), was_x2apic = is_x2apic();
    const bool enable = (value & base_bits::enable) != 0, x2apic = (value & base_bits::x2apic) != 0;
    if (x2apic && !enable) return false;
    if (was_x2apic ? enable && !x2apic : x2apic && !was_enabled) return false;
    base_ = value;
    // "Prior initialization to the APIC may be lost and the APIC may return to the state" after
    // reset (11.4.3).
    if (was_enabled && !enable) reset_registers();
    if (x2apic) id_ = initial_id_;
    update();
    return true;
}

bool LocalApic::read_x2apic(unsigned index, std::uint64_t& value) {
    if (!is_x2apic() || !is_readable(index)) return false;
    value = read_register(index);
    if (index == icr_low_reg) value |= std::uint64_t{icr_high_} << 32;
    return true;
}

bool LocalApic::write_x2apic(unsigned index, std::uint64_t value) {
    if (!is_x2apic() || (value & ~writable_bits(index)) != 0) return false;
    if (writable_bits(index) == 0 && !is_write_of_zero(index)) return false;
    const auto low = static_cast<std::uint32_t>(value);
    constexpr std::uint32_t to_self = 1u << 18;
    switch (index) {
    case icr_low_reg:
        icr_high_ = static_cast<std::uint32_t>(value >> 32);
        write_icr(low, icr_high_);
        break;
    case self_ipi_reg: write_icr(to_self | low, 0); break;
    default: write_register(index, low); return true;
    }
    update();
    return true;
}

}  // namespace backplane::chipset
