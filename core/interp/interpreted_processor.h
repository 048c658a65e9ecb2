// The device type cpu.interp: one processor executed by the interpreter alone.
#pragma once

#include "interp/processor.h"

namespace backplane::interp {

class InterpretedProcessor final : public Processor {
public:
    static void declare(Declaration<InterpretedProcessor>& d);
};

}  // namespace backplane::interp
