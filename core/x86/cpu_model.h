// A processor Backplane can be: vendor, signature, features and address sizes, as data.
#pragma once

#include "x86/cpu_features.h"

#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace backplane::x86 {

// Vendors differ in more than a name: SYSCALL, SYSRET and SYSENTER have other rules (APM 3,
// SYSCALL; SDM 2, SYSCALL).
enum class Vendor : std::uint8_t { Amd, Intel };

struct CpuModel {
    std::string name;
    std::string summary;
    Vendor vendor = Vendor::Amd;
    unsigned family = 0, model = 0, stepping = 0;
    std::string brand;  // at most 47 characters
    FeatureSet features;
    unsigned physical_address_bits = 40;
    unsigned linear_address_bits = 48;
    // The last leaves of CPUID; features that need later ones extend them (cpuid.cpp).
    std::uint32_t max_basic_leaf = 1;
    std::uint32_t max_extended_leaf = 0;  // 0x80000000 up; zero: none

    bool has(Feature feature) const { return features.has(feature); }

    // What CPUID leaf 1 puts into EAX, and RESET into EDX (SDM 2, CPUID figure 3-6).
    std::uint32_t signature() const;
};

// Everything the engines execute on this host. A model reports a subset; asking for more is
// refused.
const FeatureSet& implemented_features();

// cpu_models.cpp.
std::span<const CpuModel> cpu_models();

// "x86-64-v1" or "x86-64-v1,-nx,+umip": a name, then features to add or take away. The error says
// what was wrong and what would have been accepted.
std::expected<CpuModel, std::string> make_cpu_model(std::string_view description);

}  // namespace backplane::x86
