// Accesses of any size and alignment to a block of registers of different widths, carried out field
// by field.
#pragma once

#include <cstdint>
#include <span>

namespace backplane::virtio {

struct RegisterField {
    std::uint16_t offset, width;
    const char* name;
    const char* doc;
};

// `get` gives the value of the field at an offset.
template <class Get>
std::uint64_t read_fields(std::span<const RegisterField> fields, std::uint64_t offset,
                          unsigned bytes, Get get) {
    std::uint64_t value = 0;
    for (const RegisterField& field : fields) {
        if (field.offset >= offset + bytes || field.offset + field.width <= offset) continue;
        const std::uint64_t whole = get(field.offset);
        for (unsigned byte = 0; byte < field.width; ++byte) {
            const std::uint64_t at = field.offset + byte;
            if (at >= offset && at < offset + bytes)
                value |= (whole >> (byte * 8) & 0xff) << ((at - offset) * 8);
        }
    }
    return value;
}

// Bytes of a field that are not written are taken from `get`.
template <class Get, class Set>
void write_fields(std::span<const RegisterField> fields, std::uint64_t offset, unsigned bytes,
                  std::uint64_t value, Get get, Set set) {
    for (const RegisterField& field : fields) {
        if (field.offset >= offset + bytes || field.offset + field.width <= offset) continue;
        const bool is_whole = field.offset >= offset &&
                              field.offset + field.width <= offset + bytes;
        std::uint64_t whole = is_whole ? 0 : get(field.offset);
        for (unsigned byte = 0; byte < field.width; ++byte) {
            const std::uint64_t at = field.offset + byte;
            if (at < offset || at >= offset + bytes) continue;
            whole &= ~(std::uint64_t{0xff} << (byte * 8));
            whole |= (value >> ((at - offset) * 8) & 0xff) << (byte * 8);
        }
        set(field.offset, whole);
    }
}

}  // namespace backplane::virtio
