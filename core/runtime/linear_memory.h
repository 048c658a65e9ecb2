// Memory as a program sees it: by linear address, through the page tables of one CPU. For
// debuggers, with all CPUs parked.
#pragma once

#include "runtime/address_space.h"
#include "runtime/virtual_cpu.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace backplane::runtime {

class LinearMemory {
public:
    LinearMemory(const VirtualCpu& cpu, AddressSpace& memory) : cpu_{cpu}, memory_{memory} {}

    // Give how many bytes from `address` on are mapped; so many were copied. Permissions of pages
    // do not count. Devices are accessed as a program would, byte by byte.
    std::size_t read(std::uint64_t address, std::span<std::byte> to) const;
    std::size_t write(std::uint64_t address, std::span<const std::byte> from) const;

private:
    template <class Bytes, class Access>
    std::size_t by_pages(std::uint64_t address, std::span<Bytes> bytes, Access access) const;

    const VirtualCpu& cpu_;
    AddressSpace& memory_;
};

}  // namespace backplane::runtime
