#include "profile/recording.h"

namespace backplane::profile {

const char* name_of(Activity activity) {
    switch (activity) {
    case Activity::Idle: return "idle";
    case Activity::Interpreter: return "interpreter";
    case Activity::CompiledCode: return "compiled code";
    case Activity::Memory: return "memory";
    case Activity::Device: return "device";
    case Activity::Compiler: return "compiler";
    case Activity::Waiting: return "waiting";
    }
    return "?";
}

}  // namespace backplane::profile
