// The script by which firmware places tables in memory and connects them: allocate, add pointers,
// add checksums. (QEMU, hw/acpi/bios-linker-loader.c describes the records; SeaBIOS and OVMF carry
// them out.)
#pragma once

#include "byte_table.h"

#include <cstdint>
#include <string_view>

namespace backplane::firmware {

class TableLoader {
public:
    enum class Zone : std::uint8_t { High = 1, FSegment = 2 };  // anywhere, or 0xf0000 to 0xfffff

    void allocate(std::string_view file, std::uint32_t alignment, Zone zone);
    // At `offset` of `file` lies an offset into `target`, of `size` bytes; it becomes an address.
    void add_pointer(std::string_view file, std::string_view target, std::uint32_t offset,
                     std::uint8_t size);
    // The byte at `offset` is 0, and gets what makes the sum of start..start+length 0.
    void add_checksum(std::string_view file, std::uint32_t offset, std::uint32_t start,
                      std::uint32_t length);

    const Table& script() const { return script_; }

private:
    std::size_t begin(std::uint32_t command);

    Table script_;
};

}  // namespace backplane::firmware
