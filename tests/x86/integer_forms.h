// The integer form tables on the mock machine, compiled once for all tests of this folder.
#pragma once

#include "support/semantics_machine.h"

namespace backplane::x86::testing {

const FormTable<SemanticsEngine>& integer_forms();

}  // namespace backplane::x86::testing
