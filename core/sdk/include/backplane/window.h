// Windows as a device declares them: plain memory, and the names of registers behind functions.
#pragma once

#include <backplane/abi/device.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace backplane {

// What a memory window that is plain host memory offers: RAM, or ROM whose writes are ignored.
struct MemoryRegion {
    std::byte* memory = nullptr;
    std::uint64_t size = 0;
    bool writable = true;
};

// Returned by Declaration::port_window and memory_window to name the registers behind the
// functions, for people and traces: what a RegisterBank tells by itself.
class WindowDeclaration {
public:
    WindowDeclaration(std::vector<backplane_register>& registers, std::uint32_t port)
        : registers_{registers}, port_{port} {}

    WindowDeclaration& reg(std::uint64_t offset, const char* name, const char* doc,
                           std::uint32_t width = 1) {
        registers_.push_back(
            {sizeof(backplane_register), port_, offset, width, 0, name, doc, nullptr});
        return *this;
    }

private:
    std::vector<backplane_register>& registers_;
    std::uint32_t port_;
};

}  // namespace backplane
