#include "support/system_machine.h"

#include "x86/forms/far_branch.h"
#include "x86/forms/port_io.h"
#include "x86/forms/segment.h"
#include "x86/forms/system.h"

namespace backplane::x86::testing {

const FormTable<SemanticsEngine>& system_forms() {
    static const FormTable<SemanticsEngine> forms = [] {
        FormTable<SemanticsEngine> table;
        register_segment(table);
        register_system(table);
        register_far_branch(table);
        register_port_io(table);
        return table;
    }();
    return forms;
}

}  // namespace backplane::x86::testing
