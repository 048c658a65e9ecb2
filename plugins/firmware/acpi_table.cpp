#include "acpi_table.h"

namespace backplane::firmware {

using namespace std::string_view_literals;

Table begin_table(std::string_view signature, std::uint8_t revision) {
    Table table;
    append_text(table, signature);
    append(table, std::uint32_t{0});
    append(table, revision);
    append(table, std::uint8_t{0});
    append_text(table, "BKPL\0\0"sv);
    append_text(table, "BACKPLAN"sv);
    append(table, std::uint32_t{1});
    append_text(table, "BKPL"sv);
    append(table, std::uint32_t{1});
    return table;
}

void set_length(Table& table) {
    store(std::span{table}, acpi_length_offset, static_cast<std::uint32_t>(table.size()));
}

}  // namespace backplane::firmware
