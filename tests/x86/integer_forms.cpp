#include "x86/integer_forms.h"

#include "x86/forms/integer.h"

namespace backplane::x86::testing {

const FormTable<SemanticsEngine>& integer_forms() {
    static const FormTable<SemanticsEngine> table = [] {
        FormTable<SemanticsEngine> forms;
        register_integer(forms);
        return forms;
    }();
    return table;
}

}  // namespace backplane::x86::testing
