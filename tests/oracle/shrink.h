// Makes a failing case as plain as it can be while it still fails in the same way.
#pragma once

#include "oracle.h"

namespace backplane::oracle {

Case shrink(Oracle& oracle, const Case& failing);

}  // namespace backplane::oracle
