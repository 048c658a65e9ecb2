// One SMBIOS structure: formatted fields, then the strings to which they refer by number.
// (DMTF DSP0134, 6.1)
#pragma once

#include "byte_table.h"

#include <cstdint>
#include <string>

namespace backplane::firmware {

class SmbiosStructure {
public:
    SmbiosStructure(std::uint8_t type, std::uint16_t handle) {
        append(fields_, type);
        append(fields_, std::uint8_t{0});
        append(fields_, handle);
    }

    template <class T>
    SmbiosStructure& add(T value) {
        append(fields_, value);
        return *this;
    }

    // Empty texts are number 0, and no string.
    SmbiosStructure& add_text(const std::string& text) {
        if (text.empty()) return add(std::uint8_t{0});
        append_text(strings_, {text.c_str(), text.size() + 1});
        return add(++string_count_);
    }

    Table finish() const {
        Table table = fields_;
        store(std::span{table}, 1, static_cast<std::uint8_t>(fields_.size()));
        append_bytes(table, strings_);
        if (strings_.empty()) append(table, std::uint8_t{0});
        append(table, std::uint8_t{0});
        return table;
    }

private:
    Table fields_, strings_;
    std::uint8_t string_count_ = 0;
};

}  // namespace backplane::firmware
