#include "x86/msr.h"

#include "x86/descriptor.h"
#include "x86/system_services.h"

#include <algorithm>
#include <array>

namespace backplane::x86 {

namespace {

constexpr std::uint64_t nothing = 0;

bool canonical(std::uint64_t value, const CpuModel&) { return is_canonical(value); }

// Uncacheable, write-combining, write-through, write-protected, write-back (SDM 3A table 11-8).
constexpr bool is_memory_type(std::uint64_t type) {
    return type == 0 || type == 1 || (type >= 4 && type <= 6);
}

// SDM 3A table 11-11 has UC- as type 7 besides.
bool page_attributes(std::uint64_t value, const CpuModel&) {
    for (unsigned entry = 0; entry < 8; ++entry) {
        const std::uint64_t type = (value >> (8 * entry)) & 0xff;
        if (!is_memory_type(type) && type != 7) return false;
    }
    return true;
}

bool fixed_range_types(std::uint64_t value, const CpuModel&) {
    for (unsigned range = 0; range < 8; ++range)
        if (!is_memory_type((value >> (8 * range)) & 0xff)) return false;
    return true;
}

bool low_byte_is_type(std::uint64_t value, const CpuModel&) { return is_memory_type(value & 0xff); }

// SDM 3A 11.11.2.3: an address register has a type, a mask register a valid bit; both end at
// MAXPHYADDR.
bool variable_base(std::uint64_t value, const CpuModel& model) {
    return is_memory_type(value & 0xff) && (value >> model.physical_address_bits) == 0;
}
bool variable_mask(std::uint64_t value, const CpuModel& model) {
    return (value >> model.physical_address_bits) == 0;
}

std::uint64_t read_tsc(CpuState& state, SystemServices& system) {
    return system.tsc_ticks() + state.tsc_offset;
}
bool write_tsc(CpuState& state, SystemServices& system, std::uint64_t value) {
    state.tsc_offset = value - system.tsc_ticks();
    return true;
}

// The microcode's revision: AMD's registers have it in the low half (BKDG 00000008B), Intel's in
// the high one (SDM 3A 9.11.7.1), after CPUID and a write of zero. There is nothing to load.
std::uint64_t read_patch_level(CpuState&, SystemServices& system) {
    return system.model().vendor == Vendor::Amd ? 0x01000065 : std::uint64_t{1} << 32;
}
bool ignore_write(CpuState&, SystemServices&, std::uint64_t) { return true; }

bool read_only(std::uint64_t, const CpuModel&) { return false; }

// SDM 3B 15.3.2.2: software may only clear the status of a bank.
bool only_zero(std::uint64_t value, const CpuModel&) { return value == 0; }

// SDM 3A 11.5.4.1. A deadline that the time-stamp counter has passed, however long ago, is due.
std::uint64_t read_tsc_deadline(CpuState& state, SystemServices& system) {
    const LocalApicPort* apic = system.local_apic();
    const std::uint64_t ticks = apic ? apic->tsc_deadline() : 0;
    return ticks != 0 ? ticks + state.tsc_offset : 0;
}
bool write_tsc_deadline(CpuState& state, SystemServices& system, std::uint64_t value) {
    LocalApicPort* apic = system.local_apic();
    if (!apic) return false;
    const auto ticks = static_cast<std::int64_t>(value - state.tsc_offset);
    apic->set_tsc_deadline(
        value == 0 ? 0 : static_cast<std::uint64_t>(std::max<std::int64_t>(ticks, 1)));
    return true;
}

template <SegmentIndex index>
std::uint64_t read_base(CpuState& state, SystemServices&) {
    return state.segments[index].base;
}
template <SegmentIndex index>
bool write_base(CpuState& state, SystemServices&, std::uint64_t value) {
    state.segments[index].base = value;
    return true;
}

// SDM 3A 9.8.5: LME may not change under paging. LMA follows CR0.PG and is not written here.
bool write_efer(CpuState& state, SystemServices& system, std::uint64_t value) {
    const CpuModel& model = system.model();
    std::uint64_t allowed = efer::lma;
    if (model.has(Feature::Syscall)) allowed |= efer::sce;
    if (model.has(Feature::Lm)) allowed |= efer::lme;
    if (model.has(Feature::Nx)) allowed |= efer::nxe;
    if (value & ~allowed) return false;
    const std::uint64_t changed = (value ^ state.efer) & ~efer::lma;
    if ((changed & efer::lme) && state.paging()) return false;
    state.efer = (value & ~efer::lma) | (state.efer & efer::lma);
    if (changed & efer::nxe) system.flush_tlb();
    if (changed) system.mode_changed();
    return true;
}

constexpr MsrDescription variable_base_register(std::uint32_t index, std::string_view name) {
    return {.index = index,
            .name = name,
            .writable = ~std::uint64_t{0xf00},
            .feature = Feature::Mtrr,
            .accepts = variable_base};
}

constexpr MsrDescription variable_mask_register(std::uint32_t index, std::string_view name) {
    return {.index = index,
            .name = name,
            .writable = ~std::uint64_t{0x7ff},
            .feature = Feature::Mtrr,
            .accepts = variable_mask};
}

constexpr MsrDescription fixed_range_register(std::uint32_t index, std::string_view name) {
    return {.index = index, .name = name, .feature = Feature::Mtrr, .accepts = fixed_range_types};
}

enum class BankRegister : std::uint8_t { Control, Status, Address, Miscellaneous };

// Machine-check banks (SDM 3B 15.3.2), whose state is all there is: nothing ever fails.
constexpr MsrDescription bank_register(unsigned bank, BankRegister which, std::string_view name) {
    return {.index = msr::mc0_ctl + bank * 4 + static_cast<std::uint32_t>(which),
            .name = name,
            .feature = Feature::Mca,
            .accepts = which == BankRegister::Status ? only_zero : nullptr};
}

using enum BankRegister;
constexpr std::uint64_t has_mcg_ctl = 1u << 8;

// clang-format off
constexpr auto registers = std::to_array<MsrDescription>({
    // The Pentium's machine check, which later processors have for it (SDM 4 table 2-2).
    {.index = 0x0, .name = "P5_MC_ADDR", .feature = Feature::Mce, .vendor = Vendor::Intel},
    {.index = 0x1, .name = "P5_MC_TYPE", .feature = Feature::Mce, .vendor = Vendor::Intel},
    {.index = msr::tsc, .name = "TSC", .feature = Feature::Tsc, .read = read_tsc,
     .write = write_tsc},
    {.index = 0x17, .name = "PLATFORM_ID", .vendor = Vendor::Intel, .accepts = read_only},
    {.index = 0x2a, .name = "EBL_CR_POWERON", .vendor = Vendor::Intel, .accepts = read_only},
    // Locked, with nothing enabled (SDM 3C 23.7): no model has VMX.
    {.index = 0x3a, .name = "FEATURE_CONTROL", .reset = 1,
     .feature = Feature::Lm, .vendor = Vendor::Intel, .accepts = read_only},
    // SDM 3B 17.17.3: it follows each write of the counter, and the counter follows it, so the two
    // are one number.
    {.index = msr::tsc_adjust, .name = "TSC_ADJUST", .place = &CpuState::tsc_offset,
     .feature = Feature::TscAdjust},
    {.index = 0x8b, .name = "PATCH_LEVEL", .read = read_patch_level, .write = ignore_write},
    {.index = msr::mtrr_cap, .name = "MTRRCAP", .reset = 0x508, .writable = nothing,
     .feature = Feature::Mtrr, .accepts = read_only},
    // The level 2 cache's configuration; Windows reads it.
    {.index = 0x11e, .name = "BBL_CR_CTL3", .reset = 0xbe702111, .writable = nothing,
     .reserved = ReservedBits::Ignored, .vendor = Vendor::Intel},
    {.index = msr::sysenter_cs, .name = "SYSENTER_CS", .writable = 0xffffffff,
     .reserved = ReservedBits::Ignored, .place = &CpuState::sysenter_cs, .feature = Feature::Sep},
    {.index = msr::sysenter_esp, .name = "SYSENTER_ESP", .place = &CpuState::sysenter_esp,
     .feature = Feature::Sep, .accepts = canonical},
    {.index = msr::sysenter_eip, .name = "SYSENTER_EIP", .place = &CpuState::sysenter_eip,
     .feature = Feature::Sep, .accepts = canonical},
    {.index = msr::mcg_cap, .name = "MCG_CAP", .reset = msr::machine_check_banks | has_mcg_ctl,
     .feature = Feature::Mca, .accepts = read_only},
    {.index = msr::mcg_status, .name = "MCG_STATUS", .writable = 7, .feature = Feature::Mca},
    {.index = msr::mcg_ctl, .name = "MCG_CTL", .feature = Feature::Mca},
    // Fast strings; neither branch trace store nor precise sampling (SDM 4 table 2-2).
    {.index = 0x1a0, .name = "MISC_ENABLE", .reset = 1 | 1u << 11 | 1u << 12, .writable = 1,
     .reserved = ReservedBits::Ignored, .vendor = Vendor::Intel},
    // Last-branch records and single-stepping on branches are not there: the bits read as zero.
    {.index = 0x1d9, .name = "DEBUGCTL", .writable = nothing, .reserved = ReservedBits::Ignored},
    variable_base_register(0x200, "MTRR_PHYSBASE0"),
    variable_mask_register(0x201, "MTRR_PHYSMASK0"),
    variable_base_register(0x202, "MTRR_PHYSBASE1"),
    variable_mask_register(0x203, "MTRR_PHYSMASK1"),
    variable_base_register(0x204, "MTRR_PHYSBASE2"),
    variable_mask_register(0x205, "MTRR_PHYSMASK2"),
    variable_base_register(0x206, "MTRR_PHYSBASE3"),
    variable_mask_register(0x207, "MTRR_PHYSMASK3"),
    variable_base_register(0x208, "MTRR_PHYSBASE4"),
    variable_mask_register(0x209, "MTRR_PHYSMASK4"),
    variable_base_register(0x20a, "MTRR_PHYSBASE5"),
    variable_mask_register(0x20b, "MTRR_PHYSMASK5"),
    variable_base_register(0x20c, "MTRR_PHYSBASE6"),
    variable_mask_register(0x20d, "MTRR_PHYSMASK6"),
    variable_base_register(0x20e, "MTRR_PHYSBASE7"),
    variable_mask_register(0x20f, "MTRR_PHYSMASK7"),
    fixed_range_register(0x250, "MTRR_FIX64K_00000"),
    fixed_range_register(0x258, "MTRR_FIX16K_80000"),
    fixed_range_register(0x259, "MTRR_FIX16K_A0000"),
    fixed_range_register(0x268, "MTRR_FIX4K_C0000"),
    fixed_range_register(0x269, "MTRR_FIX4K_C8000"),
    fixed_range_register(0x26a, "MTRR_FIX4K_D0000"),
    fixed_range_register(0x26b, "MTRR_FIX4K_D8000"),
    fixed_range_register(0x26c, "MTRR_FIX4K_E0000"),
    fixed_range_register(0x26d, "MTRR_FIX4K_E8000"),
    fixed_range_register(0x26e, "MTRR_FIX4K_F0000"),
    fixed_range_register(0x26f, "MTRR_FIX4K_F8000"),
    {.index = msr::pat, .name = "PAT", .reset = 0x0007040600070406, .place = &CpuState::pat,
     .feature = Feature::Pat, .accepts = page_attributes},
    {.index = msr::mtrr_default_type, .name = "MTRR_DEF_TYPE", .writable = 0xcff,
     .feature = Feature::Mtrr, .accepts = low_byte_is_type},
    bank_register(0, Control, "MC0_CTL"),
    bank_register(0, Status, "MC0_STATUS"),
    bank_register(0, Address, "MC0_ADDR"),
    bank_register(0, Miscellaneous, "MC0_MISC"),
    bank_register(1, Control, "MC1_CTL"),
    bank_register(1, Status, "MC1_STATUS"),
    bank_register(1, Address, "MC1_ADDR"),
    bank_register(1, Miscellaneous, "MC1_MISC"),
    bank_register(2, Control, "MC2_CTL"),
    bank_register(2, Status, "MC2_STATUS"),
    bank_register(2, Address, "MC2_ADDR"),
    bank_register(2, Miscellaneous, "MC2_MISC"),
    bank_register(3, Control, "MC3_CTL"),
    bank_register(3, Status, "MC3_STATUS"),
    bank_register(3, Address, "MC3_ADDR"),
    bank_register(3, Miscellaneous, "MC3_MISC"),
    {.index = msr::tsc_deadline, .name = "TSC_DEADLINE", .feature = Feature::TscDeadline,
     .read = read_tsc_deadline, .write = write_tsc_deadline},
    {.index = msr::efer, .name = "EFER", .place = &CpuState::efer, .feature = Feature::Lm,
     .or_feature = Feature::Nx, .write = write_efer},
    {.index = msr::star, .name = "STAR", .place = &CpuState::star, .feature = Feature::Syscall},
    {.index = msr::lstar, .name = "LSTAR", .place = &CpuState::lstar, .feature = Feature::Lm,
     .accepts = canonical},
    {.index = msr::cstar, .name = "CSTAR", .place = &CpuState::cstar, .feature = Feature::Lm,
     .accepts = canonical},
    {.index = msr::sfmask, .name = "SFMASK", .writable = 0xffffffff,
     .reserved = ReservedBits::Ignored, .place = &CpuState::sfmask, .feature = Feature::Lm},
    {.index = msr::fs_base, .name = "FS_BASE", .feature = Feature::Lm, .accepts = canonical,
     .read = read_base<FS>, .write = write_base<FS>},
    {.index = msr::gs_base, .name = "GS_BASE", .feature = Feature::Lm, .accepts = canonical,
     .read = read_base<GS>, .write = write_base<GS>},
    {.index = msr::kernel_gs_base, .name = "KERNEL_GS_BASE", .place = &CpuState::kernel_gs_base,
     .feature = Feature::Lm, .accepts = canonical},
    {.index = msr::tsc_aux, .name = "TSC_AUX", .writable = 0xffffffff, .place = &CpuState::tsc_aux,
     .feature = Feature::Rdtscp, .or_feature = Feature::Rdpid},
    // AMD's own (BKDG for family 0Fh, 13.3); guests read and set them according to the family.
    {.index = 0xc0010010, .name = "SYSCFG"},
    {.index = 0xc0010015, .name = "HWCR"},
    {.index = 0xc001001a, .name = "TOP_MEM"},
    {.index = 0xc001001d, .name = "TOP_MEM2"},
    {.index = 0xc001001f, .name = "NB_CFG"},
    // A microcode loader writes the address of a patch here; none is ever applied.
    {.index = 0xc0010020, .name = "PATCH_LOADER", .writable = nothing,
     .reserved = ReservedBits::Ignored},
    {.index = 0xc0010055, .name = "INT_PENDING"},
    // Linux makes LFENCE serialize by bit 1 whenever there is SSE2; here everything is in order.
    {.index = 0xc0011029, .name = "DE_CFG"},
});
// clang-format on

static_assert(std::ranges::is_sorted(registers, {}, &MsrDescription::index));

// C001_xxxxH.
constexpr bool is_amd_register(std::uint32_t index) { return (index >> 16) == 0xc001; }

bool exists(const MsrDescription& entry, const CpuModel& model) {
    if (is_amd_register(entry.index) && model.vendor != Vendor::Amd) return false;
    if (entry.vendor && model.vendor != *entry.vendor) return false;
    return !entry.feature || model.has(*entry.feature) ||
           (entry.or_feature && model.has(*entry.or_feature));
}

std::optional<std::size_t> find(std::uint32_t index) {
    const auto found = std::ranges::lower_bound(registers, index, {}, &MsrDescription::index);
    if (found == registers.end() || found->index != index) return {};
    return static_cast<std::size_t>(found - registers.begin());
}

std::optional<std::size_t> find(std::uint32_t index, const CpuModel& model) {
    const auto position = find(index);
    return position && exists(registers[*position], model) ? position : std::nullopt;
}

bool is_x2apic(std::uint32_t index, const CpuModel& model) {
    return model.has(Feature::X2apic) && index >= 0x800 && index <= 0x8ff;
}

// EXTD is reserved in models without x2APIC.
bool set_apic_base(LocalApicPort& apic, std::uint64_t value, const CpuModel& model) {
    constexpr std::uint64_t extended = 1u << 10;
    return (model.has(Feature::X2apic) || !(value & extended)) && apic.set_base(value);
}

// What Linux tries on every processor, or every one of a vendor, and takes the #GP for an answer,
// so there is nothing to report: performance counters (AMD's K7, Intel's P6), APERF and MPERF,
// Intel's FEATURE_CONTROL, PLATFORM_INFO and MISC_FEATURES_ENABLES where a model has no such
// register, and AMD's DE_CFG.
bool is_known_to_be_absent(std::uint32_t index) {
    switch (index) {
    case 0x3a:
    case 0xc1:
    case 0xc2:
    case 0xce:
    case 0xe7:
    case 0xe8:
    case 0x140:
    case 0x186:
    case 0x187:
    case 0xc0011029: return true;
    default: return index >= 0xc0010000 && index <= 0xc0010007;
    }
}

}  // namespace

MsrBank::MsrBank() : values_(registers.size()) { reset(); }

std::span<const MsrDescription> MsrBank::table() { return registers; }

void MsrBank::reset() {
    std::ranges::transform(registers, values_.begin(), &MsrDescription::reset);
}

std::optional<std::uint64_t> MsrBank::read(std::uint32_t index, CpuState& state,
                                           SystemServices& system) const {
    if (LocalApicPort* apic = system.local_apic(); apic && system.model().has(Feature::Apic)) {
        if (index == msr::apic_base) return apic->base();
        if (is_x2apic(index, system.model())) return apic->read_msr(index);
    }
    const auto position = find(index, system.model());
    if (!position) {
        if (!is_known_to_be_absent(index)) system.report_once(Unknown::MsrRead, index);
        return {};
    }
    const MsrDescription& entry = registers[*position];
    if (entry.read) return entry.read(state, system);
    return entry.place ? state.*entry.place : values_[*position];
}

bool MsrBank::write(std::uint32_t index, std::uint64_t value, CpuState& state,
                    SystemServices& system) {
    if (LocalApicPort* apic = system.local_apic(); apic && system.model().has(Feature::Apic)) {
        if (index == msr::apic_base) return set_apic_base(*apic, value, system.model());
        if (is_x2apic(index, system.model())) return apic->write_msr(index, value);
    }
    const auto position = find(index, system.model());
    if (!position) {
        if (!is_known_to_be_absent(index)) system.report_once(Unknown::MsrWrite, index);
        return false;
    }
    const MsrDescription& entry = registers[*position];
    if (entry.reserved == ReservedBits::MustBeZero && (value & ~entry.writable)) return false;
    if (entry.accepts && !entry.accepts(value, system.model())) return false;
    if (entry.write) return entry.write(state, system, value);
    std::uint64_t& place = entry.place ? state.*entry.place : values_[*position];
    place = (place & ~entry.writable) | (value & entry.writable);
    return true;
}

void MsrBank::set(std::uint32_t index, std::uint64_t value) {
    if (const auto position = find(index)) values_[*position] = value;
}

}  // namespace backplane::x86
