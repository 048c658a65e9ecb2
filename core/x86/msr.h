// The model-specific registers, as a table: index, name, value after reset, which bits a guest may
// write.
#pragma once

#include "x86/cpu_model.h"
#include "x86/cpu_state.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace backplane::x86 {

class SystemServices;

namespace msr {
constexpr std::uint32_t tsc = 0x10, apic_base = 0x1b, tsc_adjust = 0x3b, mtrr_cap = 0xfe,
                        sysenter_cs = 0x174, sysenter_esp = 0x175, sysenter_eip = 0x176,
                        pat = 0x277, mtrr_default_type = 0x2ff, tsc_deadline = 0x6e0,
                        efer = 0xc0000080, star = 0xc0000081, lstar = 0xc0000082,
                        cstar = 0xc0000083, sfmask = 0xc0000084, fs_base = 0xc0000100,
                        gs_base = 0xc0000101, kernel_gs_base = 0xc0000102, tsc_aux = 0xc0000103;
// The first of four registers for each bank.
constexpr std::uint32_t mcg_cap = 0x179, mcg_status = 0x17a, mcg_ctl = 0x17b, mc0_ctl = 0x400;
constexpr unsigned machine_check_banks = 4;
}  // namespace msr

namespace efer {
constexpr std::uint64_t sce = 1u << 0, lme = 1u << 8, lma = 1u << 10, nxe = 1u << 11;
}  // namespace efer

// What a write does to bits outside MsrDescription::writable.
enum class ReservedBits : std::uint8_t { MustBeZero, Ignored };

struct MsrDescription {
    std::uint32_t index;
    std::string_view name;
    std::uint64_t reset = 0;
    std::uint64_t writable = ~std::uint64_t{0};
    ReservedBits reserved = ReservedBits::MustBeZero;
    // Where the value lives when instructions use it; otherwise the bank keeps it.
    std::uint64_t CpuState::* place = nullptr;
    // The register exists only in models with this feature, or the other, and of this vendor.
    std::optional<Feature> feature = {}, or_feature = {};
    std::optional<Vendor> vendor = {};
    // Further conditions on a value whose reserved bits are right; false raises #GP.
    bool (*accepts)(std::uint64_t value, const CpuModel& model) = nullptr;
    // Instead of plain storage.
    std::uint64_t (*read)(CpuState& state, SystemServices& system) = nullptr;
    bool (*write)(CpuState& state, SystemServices& system, std::uint64_t value) = nullptr;
};

// One processor's registers that have no place in CpuState. Owned by the engine; part of a snapshot
// through values().
class MsrBank {
public:
    MsrBank();

    static std::span<const MsrDescription> table();

    // INIT keeps most of them (SDM 3A table 9-1), so this is for power-on and reset. CpuState has
    // its own values.
    void reset();

    // RDMSR and WRMSR. Empty or false: #GP(0); a register nobody knows is reported once.
    std::optional<std::uint64_t> read(std::uint32_t index, CpuState& state,
                                      SystemServices& system) const;
    bool write(std::uint32_t index, std::uint64_t value, CpuState& state, SystemServices& system);

    // In the order of table(); entries that live elsewhere stay at their reset value.
    std::span<std::uint64_t> values() { return values_; }

    // For firmware substitutes that hand over a machine already set up, such as a Linux boot
    // loader.
    void set(std::uint32_t index, std::uint64_t value);

private:
    std::vector<std::uint64_t> values_;
};

}  // namespace backplane::x86
