// One instance of a device type, with the objects behind its ports; what crosses the seam as `void*
// device`.
#pragma once

#include <backplane/abi/window.h>
#include <backplane/registers.h>

#include <cstdint>
#include <deque>

namespace backplane {

// Objects behind the ports of one instance, alive as long as it is.
template <class T>
struct Instance {
    T device;
    std::deque<backplane_window> windows;
    struct InputObject {
        T* device;
        std::uint32_t element;
    };
    std::deque<InputObject> inputs;
    struct BankObject {
        T* device;
        const RegisterBank<T>* bank;
    };
    std::deque<BankObject> banks;
};

}  // namespace backplane
