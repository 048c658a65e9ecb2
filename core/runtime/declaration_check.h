// Refuses device types whose declaration contradicts itself, so that nobody after the loader has to
// doubt it.
#pragma once

#include <backplane/abi/device.h>

#include <string>
#include <vector>

namespace backplane::runtime {

// Everything wrong with a type in our own layout (declaration_copy.h): "property 'rate': a choice
// without choices".
std::vector<std::string> check_device_type(const backplane_device_type& type);

}  // namespace backplane::runtime
