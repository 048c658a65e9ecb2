// Where the registers of a local APIC are. (SDM 3A tables 11-1 and 11-6)
#pragma once

#include <cstdint>

namespace backplane::chipset::local_apic {

// Register numbers: the offset in the page divided by 16, and the MSR less 0x800.
enum Register : unsigned {
    id_reg = 0x02,
    version_reg = 0x03,
    tpr_reg = 0x08,
    apr_reg = 0x09,
    ppr_reg = 0x0a,
    eoi_reg = 0x0b,
    rrd_reg = 0x0c,
    ldr_reg = 0x0d,
    dfr_reg = 0x0e,
    svr_reg = 0x0f,
    isr_reg = 0x10,
    tmr_reg = 0x18,
    irr_reg = 0x20,
    esr_reg = 0x28,
    icr_low_reg = 0x30,
    icr_high_reg = 0x31,
    lvt_reg = 0x32,
    initial_count_reg = 0x38,
    current_count_reg = 0x39,
    divide_configuration_reg = 0x3e,
    self_ipi_reg = 0x3f  // x2APIC only
};

// IA32_APIC_BASE (figure 11-5).
namespace base_bits {
constexpr std::uint64_t boot_processor = 1u << 8, x2apic = 1u << 10, enable = 1u << 11;
constexpr std::uint64_t address = 0x000f'ffff'ffff'f000;
constexpr std::uint64_t power_on_address = 0xfee00000;
}  // namespace base_bits

}  // namespace backplane::chipset::local_apic
