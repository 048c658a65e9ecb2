#include "interp/interpreted_processor.h"

#include "interp/processor_declaration.h"

namespace backplane::interp {

void InterpretedProcessor::declare(Declaration<InterpretedProcessor>& d) {
    d.type("cpu.interp", "Processor executed by the interpreter, the reference engine");
    declare_processor(d);
}

}  // namespace backplane::interp
