#include "aml.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <vector>

namespace backplane::firmware::aml {

namespace {

// 20.3, AML Byte Stream Byte Values.
constexpr std::uint8_t name_op = 0x08, byte_prefix = 0x0a, word_prefix = 0x0b, dword_prefix = 0x0c,
                       string_prefix = 0x0d, qword_prefix = 0x0e, scope_op = 0x10, buffer_op = 0x11,
                       dual_name_prefix = 0x2e, multi_name_prefix = 0x2f, root_prefix = 0x5c,
                       extended_prefix = 0x5b, device_op = 0x82, processor_op = 0x83;

Table bytes(std::initializer_list<std::uint8_t> values) {
    Table table;
    for (const std::uint8_t value : values)
        append(table, value);
    return table;
}

// 20.2.4 Package Length Encoding: the length counts its own bytes.
Table with_length(const Table& content) {
    for (std::size_t follow = 0; follow < 4; ++follow) {
        const std::size_t length = content.size() + 1 + follow;
        if (follow == 0 && length > 0x3f) continue;
        if (follow != 0 && length >> (4 + 8 * follow) != 0) continue;
        Table table;
        if (follow == 0) {
            append(table, static_cast<std::uint8_t>(length));
        } else {
            append(table, static_cast<std::uint8_t>(follow << 6 | (length & 0xf)));
            for (std::size_t byte = 0; byte < follow; ++byte)
                append(table, static_cast<std::uint8_t>(length >> (4 + 8 * byte)));
        }
        return std::move(table) + content;
    }
    return {};  // 256 MiB are not reached
}

// Names have four characters, filled up with underscores.
Table name_segment(std::string_view segment) {
    Table table;
    append_text(table, segment);
    while (table.size() < 4)
        append(table, '_');
    return table;
}

// 6.4.3.5 Address Space Resource Descriptors.
constexpr std::uint8_t memory_type = 0, io_type = 1, bus_type = 2;
constexpr std::uint8_t producer_fixed = 0x0c;  // minimum and maximum do not move
constexpr std::uint8_t entire_range = 3;       // both ISA and other ports
constexpr std::uint8_t memory_read_write = 1, cacheable = 2;

template <class Value>
Table window(std::uint8_t tag, std::uint8_t type, std::uint8_t specific, Value first, Value last) {
    Table table = bytes({tag});
    append(table, static_cast<std::uint16_t>(3 + 5 * sizeof(Value)));
    table = std::move(table) + bytes({type, producer_fixed, specific});
    append(table, Value{0});  // granularity
    append(table, first);
    append(table, last);
    append(table, Value{0});  // translation
    append(table, static_cast<Value>(last - first + 1));
    return table;
}

constexpr std::uint8_t word_tag = 0x88, dword_tag = 0x87, qword_tag = 0x8a;

}  // namespace

Table operator+(Table first, const Table& second) {
    first.insert(first.end(), second.begin(), second.end());
    return first;
}

Table name_string(std::string_view name) {
    Table table;
    if (name.starts_with('\\')) {
        append(table, root_prefix);
        name.remove_prefix(1);
    }
    std::vector<std::string_view> segments;
    while (!name.empty()) {
        const std::size_t end = std::min(name.find('.'), name.size());
        segments.push_back(name.substr(0, end));
        name.remove_prefix(std::min(end + 1, name.size()));
    }
    if (segments.size() == 2) {
        append(table, dual_name_prefix);
    } else if (segments.size() > 2) {
        append(table, multi_name_prefix);
        append(table, static_cast<std::uint8_t>(segments.size()));
    }
    for (const std::string_view segment : segments)
        table = std::move(table) + name_segment(segment);
    return table;
}

Table integer(std::uint64_t value) {
    if (value <= 1) return bytes({static_cast<std::uint8_t>(value)});  // ZeroOp, OneOp
    Table table;
    if (value <= 0xff) {
        append(table, byte_prefix);
        append(table, static_cast<std::uint8_t>(value));
    } else if (value <= 0xffff) {
        append(table, word_prefix);
        append(table, static_cast<std::uint16_t>(value));
    } else if (value <= 0xffffffff) {
        append(table, dword_prefix);
        append(table, static_cast<std::uint32_t>(value));
    } else {
        append(table, qword_prefix);
        append(table, value);
    }
    return table;
}

Table text(std::string_view value) {
    Table table = bytes({string_prefix});
    append_text(table, value);
    append(table, '\0');
    return table;
}

Table buffer(const Table& content) {
    return bytes({buffer_op}) + with_length(integer(content.size()) + content);
}

Table name(std::string_view name, const Table& value) {
    return bytes({name_op}) + name_string(name) + value;
}

Table scope(std::string_view name, const Table& terms) {
    return bytes({scope_op}) + with_length(name_string(name) + terms);
}

Table device(std::string_view name, const Table& terms) {
    return bytes({extended_prefix, device_op}) + with_length(name_string(name) + terms);
}

// Without power management registers of its own.
Table processor(std::string_view name, std::uint8_t id) {
    return bytes({extended_prefix, processor_op}) +
           with_length(name_string(name) + bytes({id, 0, 0, 0, 0, 0}));
}

Table bus_numbers(std::uint16_t first, std::uint16_t last) {
    return window(word_tag, bus_type, 0, first, last);
}

Table port_window(std::uint16_t first, std::uint16_t last) {
    return window(word_tag, io_type, entire_range, first, last);
}

Table memory_window_32(std::uint32_t first, std::uint32_t last) {
    return window(dword_tag, memory_type, memory_read_write, first, last);
}

Table memory_window_64(std::uint64_t first, std::uint64_t last) {
    return window(qword_tag, memory_type, memory_read_write | cacheable, first, last);
}

// 6.4.2.5 I/O Port Descriptor: 16 bits decoded.
Table fixed_ports(std::uint16_t first, std::uint8_t count) {
    Table table = bytes({0x47, 1});
    append(table, first);
    append(table, first);
    return std::move(table) + bytes({1, count});
}

// 6.4.3.4 32-Bit Fixed Memory Range Descriptor.
Table fixed_memory(std::uint32_t base, std::uint32_t size) {
    Table table = bytes({0x86, 9, 0, memory_read_write});
    append(table, base);
    append(table, size);
    return table;
}

Table resources(const Table& descriptors) {
    constexpr std::uint8_t end_tag = 0x79, sum_not_checked = 0;
    return buffer(descriptors + bytes({end_tag, sum_not_checked}));
}

}  // namespace backplane::firmware::aml
