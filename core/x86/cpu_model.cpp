#include "x86/cpu_model.h"

#include "x86/host_features.h"

namespace backplane::x86 {

namespace {

using enum Feature;

// Every feature whose instructions, registers and checks all engines have.
// clang-format off
constexpr FeatureSet executed{{
    Fpu, Vme, De, Pse, Tsc, Msr, Pae, Mce, Cx8, Apic, Sep, Mtrr, Pge, Mca, Cmov, Pat, Pse36, Clfsh,
    Mmx, Fxsr, Sse, Sse2, MmxExt, Sse3, Ssse3, Sse41, Sse42, Sse4a, Aes, Pclmulqdq, Sha,
    X2apic, TscDeadline, Pcid, Invpcid, Smap,
    Syscall, Nx, Pdpe1gb, Rdtscp, Lm, LahfLm, Cx16, InvariantTsc, Hypervisor,
    Popcnt, Lzcnt, Bmi1, Bmi2, Adx, Movbe, Rdrand, Rdseed, Prefetchw, Clflushopt, Clwb, Erms,
    Monitor, Fsgsbase, Rdpid, Umip, Smep, TscAdjust, TopologyExtensions,
    Xsave, Xsaveopt, Xsavec, Xgetbv1, Avx, Avx2, Fma, F16c, FcsFdsDeprecated,
}};
// clang-format on

// A feature that is nothing without another (SDM 1 chapters 10 to 14).
struct Dependency {
    Feature feature, needs;
};
constexpr Dependency dependencies[] = {
    {Sse, Fxsr},       {Sse2, Sse},     {Sse3, Sse2},     {Ssse3, Sse3},       {Sse41, Ssse3},
    {Sse42, Sse41},    {Sse4a, Sse3},   {Aes, Sse2},      {Pclmulqdq, Sse2},   {Sha, Sse2},
    {Xsaveopt, Xsave}, {Xsavec, Xsave}, {Xgetbv1, Xsave}, {Avx, Xsave},        {Avx2, Avx},
    {Fma, Avx},        {F16c, Avx},     {X2apic, Apic},   {TscDeadline, Apic}, {Invpcid, Pcid},
    {Syscall, Msr},    {Pdpe1gb, Lm},   {LahfLm, Lm},     {Cx16, Cx8},
};

// What was taken away takes with it what depends on it.
void remove_dependents(FeatureSet& features) {
    for (bool changed = true; changed;) {
        changed = false;
        for (const Dependency& dependency : dependencies) {
            if (!features.has(dependency.feature) || features.has(dependency.needs)) continue;
            features.remove(dependency.feature);
            changed = true;
        }
    }
}

std::string names_of_models() {
    std::string names;
    for (const CpuModel& model : cpu_models())
        names += (names.empty() ? "" : ", ") + model.name;
    return names;
}

std::string names_of(const FeatureSet& features, std::string_view separator = ", ") {
    std::string names;
    for (const FeatureName& entry : feature_names)
        if (features.has(entry.feature)) (names += names.empty() ? "" : separator) += entry.name;
    return names;
}

std::expected<void, std::string> apply(CpuModel& model, std::string_view change) {
    const char sign = change.empty() ? '\0' : change.front();
    if (sign != '+' && sign != '-')
        return std::unexpected("'" + std::string(change) +
                               "' changes no feature: write +name or -name");
    const auto feature = feature_named(change.substr(1));
    if (!feature || (sign == '+' && !implemented_features().has(*feature)))
        return std::unexpected("no feature '" + std::string(change.substr(1)) + "'; there are " +
                               names_of(implemented_features()));
    if (sign == '-') {
        model.features.remove(*feature);
        remove_dependents(model.features);
        return {};
    }
    for (const Dependency& dependency : dependencies)
        if (dependency.feature == *feature && !model.features.has(dependency.needs)) {
            FeatureSet needed;
            needed.add(dependency.needs);
            return std::unexpected("'" + std::string(change) + "' needs +" + names_of(needed) +
                                   " before it");
        }
    model.features.add(*feature);
    return {};
}

}  // namespace

std::uint32_t CpuModel::signature() const {
    const unsigned base_family = family < 15 ? family : 15;
    return stepping | (model & 0xf) << 4 | base_family << 8 | (model >> 4) << 16 |
           (family - base_family) << 20;
}

const FeatureSet& implemented_features() {
    static const FeatureSet all = executed.without(
        host_dependent_features().without(host_features()));
    return all;
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
    const FeatureSet missing = model.features.without(implemented_features());
    if (!missing.empty())
        return std::unexpected("'" + model.name + "' has features that are not executed on this " +
                               "host; it does without them as '" + model.name + ",-" +
                               names_of(missing, ",-") + "'");
    return model;
}

}  // namespace backplane::x86
