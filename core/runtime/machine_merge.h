// Puts what a more specific file, or the command line, says over what is known so far.
#pragma once

#include "runtime/yaml_document.h"

namespace backplane::runtime {

// Maps are merged key by key, to a depth of `depth` maps below this one; everything else replaces.
// Entries from `from` get `layer` and remember what they replaced.
void merge_map(YamlMap& into, const YamlMap& from, std::uint32_t layer, unsigned depth);

}  // namespace backplane::runtime
