// Makes the interpreter's handlers out of semantics; included by the files that instantiate a
// family of forms.
#pragma once

#include "interp/engine.h"
#include "interp/variants.h"
#include "x86/forms.h"

namespace backplane::interp {

template <auto semantic, class... Operands>
Handler InterpreterEngine::handler() {
    return {variants_of<semantic, Operands...>};
}

}  // namespace backplane::interp
