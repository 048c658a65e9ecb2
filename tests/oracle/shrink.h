// Makes a failing case as plain as it can be while it still fails in the same way.
#pragma once

#include "oracle.h"

#include <functional>
#include <string>

namespace backplane::oracle {

// How a case fails, in words that a plainer one has to keep; empty when it does not.
using Failing = std::function<std::string(const Case&)>;

Case shrink(const x86::Decoder& decoder, const Failing& failing, const Case& test);

// Fails as the oracle sees it.
Case shrink(Oracle& oracle, const Case& test);

}  // namespace backplane::oracle
