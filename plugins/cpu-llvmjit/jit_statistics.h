// The statistics of compiled code.
#pragma once

#include <backplane/declaration.h>

namespace backplane::jit {

class CompiledProcessor;

void declare_jit_statistics(Declaration<CompiledProcessor>& d);

}  // namespace backplane::jit
