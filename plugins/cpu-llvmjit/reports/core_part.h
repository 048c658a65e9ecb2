// Names for what compiled code reaches from the register that has Core's address.
#pragma once

#include <cstddef>
#include <string>

namespace backplane::jit {

// What is at this offset, for people.
std::string core_part(std::size_t offset);

}  // namespace backplane::jit
