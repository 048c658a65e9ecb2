// Turns yaml-cpp's terse syntax errors into messages that say what to do.
#pragma once

#include "runtime/diagnostics.h"

namespace YAML {
class Exception;
}

namespace backplane::runtime {

// `open` is where the innermost list or map begins that was not closed yet; empty when there is
// none.
void report_syntax_error(const YAML::Exception& exception,
                         const std::shared_ptr<const Source>& source, const Place& open,
                         Diagnostics& diagnostics);

}  // namespace backplane::runtime
