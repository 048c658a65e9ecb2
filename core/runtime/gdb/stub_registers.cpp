// The packets g, G, p and P.
#include "runtime/gdb/hex.h"
#include "runtime/gdb/stub.h"

namespace backplane::runtime::gdb {

Stub::Reply Stub::read_all_registers() {
    std::string text;
    for (std::size_t number = 0; number < layout_.size(); ++number)
        text += to_hex(layout_.read(selected(), number));
    return text;
}

// May be shorter than all; an x for a register that is to stay as it is.
Stub::Reply Stub::write_all_registers(std::string_view hex) {
    for (std::size_t number = 0; number < layout_.size() && !hex.empty(); ++number) {
        const std::size_t digits = 2 * layout_.bytes(number);
        if (hex.size() < digits) return error::bad_packet;
        const std::string_view one = hex.substr(0, digits);
        hex.remove_prefix(digits);
        if (one.starts_with('x')) continue;
        const auto value = bytes_from_hex(one);
        if (!value || !layout_.write(selected(), number, *value)) return error::bad_packet;
    }
    return "OK";
}

Stub::Reply Stub::read_register(std::string_view number) {
    const auto wanted = number_from_hex(number);
    if (!wanted || *wanted >= layout_.size()) return error::bad_packet;
    return to_hex(layout_.read(selected(), static_cast<std::size_t>(*wanted)));
}

Stub::Reply Stub::write_register(std::string_view assignment) {
    const auto number = number_from_hex(take_until(assignment, '='));
    const auto value = bytes_from_hex(assignment);
    if (!number || !value || *number >= layout_.size()) return error::bad_packet;
    return layout_.write(selected(), static_cast<std::size_t>(*number), *value) ? "OK"
                                                                                : error::bad_packet;
}

}  // namespace backplane::runtime::gdb
