#include "tier2/covered_forms.h"

#include "tier2/covered_families.h"
#include "tier2/semantics/form.h"

namespace backplane::jit::tier2 {
namespace {

std::string_view name_of(const std::type_info* form) { return form ? form->name() : ""; }

}  // namespace

template <auto semantic, class... Operands>
NamingEngine::Handler NamingEngine::handler() {
    if constexpr (is_covered<Operands...>) return &typeid(Form<semantic, Operands...>);
    return nullptr;
}

CoveredForms::CoveredForms() { cover_all(forms_); }

std::string_view CoveredForms::bind(const x86::Instruction& instruction, x86::Op& op) const {
    return name_of(forms_.bind(instruction, op));
}

std::string_view CoveredForms::bind_address(const x86::Instruction& instruction, x86::Op& op) {
    return name_of(x86::forms::bind_address<NamingEngine>(instruction, op));
}

}  // namespace backplane::jit::tier2
