#include "cli/ctl_report.h"

#include "runtime/control/hex.h"
#include "runtime/printable_text.h"
#include "runtime/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace backplane::cli {

namespace {

using nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

constexpr std::size_t dump_width = 16;

std::string text_of(const ordered_json& value) {
    if (value.is_string()) return runtime::printable(value.get_ref<const std::string&>());
    return value.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

bool is_table(const ordered_json& value) {
    return value.is_array() && !value.empty() && value[0].is_object();
}

// Rows of a list of objects; what is in them deeper is shown as one line of JSON.
std::string table_of(const ordered_json& list, std::size_t indent) {
    std::vector<std::string> columns;
    for (const auto& element : list)
        for (const auto& [key, value] : element.items())
            if (std::ranges::find(columns, key) == columns.end()) columns.push_back(key);
    Rows rows{columns};
    for (const auto& element : list) {
        auto& row = rows.emplace_back();
        for (const std::string& column : columns)
            row.push_back(element.contains(column) ? text_of(element[column]) : "");
    }
    return runtime::text_table(rows, indent);
}

std::string report(const ordered_json& value, std::size_t indent) {
    if (is_table(value)) return table_of(value, indent);
    if (!value.is_object()) return std::string(indent, ' ') + text_of(value) + '\n';
    std::string out;
    Rows rows;
    const auto flush = [&] {
        out += runtime::text_table(rows, indent);
        rows.clear();
    };
    for (const auto& [key, member] : value.items()) {
        if (!is_table(member) && !(member.is_object() && !member.empty())) {
            if (!member.is_structured() || !member.empty()) rows.push_back({key, text_of(member)});
            continue;
        }
        flush();
        out += std::string(indent, ' ') + key + '\n' + report(member, indent + 2);
    }
    flush();
    return out;
}

// 00007c00  eb 3c 90 ...  |.<.|
std::string memory_dump(const ordered_json& returned) {
    const auto bytes = runtime::control::parse_hex(returned.value("data", ""));
    if (!bytes) return report(returned, 0);
    const std::uint64_t start = std::stoull(returned.value("address", "0x0"), nullptr, 16);
    std::string out;
    for (std::size_t at = 0; at < bytes->size(); at += dump_width) {
        std::string hex, text;
        for (std::size_t i = at; i < at + dump_width; ++i) {
            if (i % dump_width == dump_width / 2) hex += ' ';
            if (i >= bytes->size()) {
                hex += "   ";
                continue;
            }
            const auto byte = static_cast<unsigned char>((*bytes)[i]);
            hex += fmt::format("{:02x} ", byte);
            text += byte >= ' ' && byte < 0x7f ? static_cast<char>(byte) : '.';
        }
        out += fmt::format("{:016x}  {} |{}|\n", start + at, hex, text);
    }
    return out;
}

std::string register_table(const ordered_json& returned) {
    constexpr std::size_t columns = 4;
    const ordered_json registers = returned.value("registers", ordered_json::object());
    Rows rows;
    for (const auto& [name, value] : registers.items()) {
        if (rows.empty() || rows.back().size() == columns * 2) rows.emplace_back();
        rows.back().push_back(name);
        rows.back().push_back(text_of(value));
    }
    return fmt::format("{} {}\n{}", text_of(returned["cpu"]), text_of(returned["next_instruction"]),
                       runtime::text_table(rows));
}

std::string screen(const ordered_json& returned) {
    if (!returned.contains("rows")) return report(returned, 0);
    std::string out;
    std::size_t used = 0;  // up to the last row that is not blank
    for (const auto& row : returned["rows"]) {
        const std::string text = text_of(row);
        out += text + '\n';
        if (!text.empty()) used = out.size();
    }
    return out.substr(0, used);
}

}  // namespace

std::string ctl_report(const std::string& command, const ordered_json& returned) {
    if (command == "read-memory") return memory_dump(returned);
    if (command == "read-registers") return register_table(returned);
    if (command == "screen-text") return screen(returned);
    if (command == "report") return returned.value("text", "");
    if (command == "query-schema") return returned["schema"].dump(2) + '\n';
    if (returned.is_object() && returned.size() == 1 && is_table(returned.front()))
        return report(returned.front(), 0);
    return report(returned, 0);
}

std::string event_line(const ordered_json& event) {
    std::string out = text_of(event.value("event", ordered_json{"?"}));
    for (const auto& [key, value] : event.value("data", ordered_json::object()).items())
        if (!value.is_string() || !value.empty())
            out += fmt::format("  {} {}", key, text_of(value));
    return out + '\n';
}

}  // namespace backplane::cli
