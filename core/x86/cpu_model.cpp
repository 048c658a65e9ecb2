#include "x86/cpu_model.h"

#include <array>

namespace backplane::x86 {

namespace {

using enum Feature;

// HTT and CmpLegacy follow from the number of processors, see cpuid.cpp.
constexpr FeatureSet x86_64_v1{
    {Fpu,  De,   Pse,        Tsc,     Msr, Pae,     Mce,    Cx8, Apic,   Sep,
     Mtrr, Pge,  Mca,        Cmov,    Pat, Pse36,   Clfsh,  Mmx, Fxsr,   Sse,
     Sse2, Cx16, Hypervisor, Syscall, Nx,  Pdpe1gb, Rdtscp, Lm,  LahfLm, InvariantTsc}};

std::string names_of_models() {
    std::string names;
    for (const CpuModel& model : cpu_models())
        names += (names.empty() ? "" : ", ") + model.name;
    return names;
}

std::string names_of_features() {
    std::string names;
    for (const FeatureName& entry : feature_names)
        if (implemented_features().has(entry.feature))
            (names += names.empty() ? "" : ", ") += entry.name;
    return names;
}

std::expected<void, std::string> apply(CpuModel& model, std::string_view change) {
    const char sign = change.empty() ? '\0' : change.front();
    if (sign != '+' && sign != '-')
        return std::unexpected("'" + std::string(change) +
                               "' changes no feature: write +name or -name");
    const auto feature = feature_named(change.substr(1));
    if (!feature || !implemented_features().has(*feature))
        return std::unexpected("no feature '" + std::string(change.substr(1)) + "'; there are " +
                               names_of_features());
    if (sign == '+')
        model.features.add(*feature);
    else
        model.features.remove(*feature);
    return {};
}

}  // namespace

std::uint32_t CpuModel::signature() const {
    const unsigned base_family = family < 15 ? family : 15;
    return stepping | (model & 0xf) << 4 | base_family << 8 | (model >> 4) << 16 |
           (family - base_family) << 20;
}

const FeatureSet& implemented_features() {
    static constexpr FeatureSet all = x86_64_v1;
    return all;
}

std::span<const CpuModel> cpu_models() {
    static const std::array models = std::to_array<CpuModel>({
        // Signature as QEMU's qemu64. The vendor spares guests the page-table isolation of
        // processors with Meltdown.
        {.name = "x86-64-v1",
         .summary = "64-bit baseline: SSE2, no-execute, 1 GiB pages",
         .vendor = Vendor::Amd,
         .family = 15,
         .model = 107,
         .stepping = 1,
         .brand = "Backplane x86-64-v1 processor",
         .features = x86_64_v1},
    });
    return models;
}

std::expected<CpuModel, std::string> make_cpu_model(std::string_view description) {
    const auto name = description.substr(0, description.find(','));
    const CpuModel* found = nullptr;
    for (const CpuModel& model : cpu_models())
        if (model.name == name) found = &model;
    if (!found)
        return std::unexpected("no CPU model '" + std::string(name) + "'; there are " +
                               names_of_models());

    CpuModel model = *found;
    while (description.find(',') != description.npos) {
        description.remove_prefix(description.find(',') + 1);
        if (auto applied = apply(model, description.substr(0, description.find(','))); !applied)
            return std::unexpected(std::move(applied.error()));
    }
    return model;
}

}  // namespace backplane::x86
