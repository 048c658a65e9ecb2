// Refuses windows that do not fit their address space or that overlap others.
#pragma once

#include "runtime/diagnostics.h"
#include "runtime/machine_description.h"

#include <span>
#include <string>

namespace backplane::runtime {

struct PlacedWindow {
    std::string name;  // "serial0.registers"
    const WindowMapping* mapping = nullptr;
    // of the whole window; 0 = not known yet, or empty: such a mapping is passed over
    std::uint64_t window_size = 0;

    // Bytes that are mapped.
    [[nodiscard]] std::uint64_t size() const {
        if (mapping->size != 0) return mapping->size;
        return window_size > mapping->offset ? window_size - mapping->offset : 0;
    }
};

// Parts outside their window, ends beyond the space, overlaps at one priority. check_machine calls
// it with the windows whose type declares a size; whoever creates the devices calls it again when
// every size is known.
void check_windows(std::span<const PlacedWindow> windows, Diagnostics& diagnostics);

}  // namespace backplane::runtime
