#include "runtime/yaml_document.h"

#include "runtime/printable_text.h"
#include "runtime/yaml_builder.h"
#include "runtime/yaml_syntax_error.h"

#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <sstream>

namespace backplane::runtime {

namespace {

Place place_at(const std::shared_ptr<const Source>& source, std::size_t offset) {
    const std::string_view before = std::string_view{source->text}.substr(0, offset);
    const auto line_start = before.rfind('\n') + 1;  // npos + 1 == 0
    return {.source = source,
            .line = static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
            .column = static_cast<std::uint32_t>(offset - line_start + 1),
            .length = 1};
}

// yaml-cpp takes a byte 4 for the end of the file, guesses other encodings from NUL bytes and
// passes broken UTF-8 on.
bool is_plain_utf8(const std::shared_ptr<const Source>& source, Diagnostics& diagnostics) {
    const std::string_view text = source->text;
    if (const auto bad = first_invalid_utf8(text)) {
        diagnostics.error(place_at(source, *bad), "the text is not UTF-8",
                          "this byte is impossible");
        return false;
    }
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto c = static_cast<unsigned char>(text[at]);
        const bool is_line_end = c == '\n' ||
                                 (c == '\r' && at + 1 < text.size() && text[at + 1] == '\n');
        if ((c >= 0x20 && c != 0x7f) || c == '\t' || is_line_end) continue;
        diagnostics.error(place_at(source, at), "control characters are not allowed here",
                          "in double quotes it can be written as an escape such as \\x1b");
        return false;
    }
    return true;
}

void write(std::string& out, const YamlNode& node, std::size_t limit);

void write_map(std::string& out, const YamlMap& map, std::size_t limit) {
    out += '{';
    for (const YamlEntry& entry : map.entries) {
        if (out.size() > limit) return;
        if (!out.ends_with('{')) out += ", ";
        out += printable(entry.key) + ": ";
        write(out, *entry.value, limit);
    }
    out += '}';
}

void write_list(std::string& out, const std::vector<YamlPointer>& items, std::size_t limit) {
    out += '[';
    for (const YamlPointer& item : items) {
        if (out.size() > limit) return;
        if (!out.ends_with('[')) out += ", ";
        write(out, *item, limit);
    }
    out += ']';
}

// Stops early once `out` is longer than `limit`: through aliases a small file can describe an
// endless value.
void write(std::string& out, const YamlNode& node, std::size_t limit) {
    switch (node.kind) {
    case YamlNode::Kind::Null: out += "null"; break;
    case YamlNode::Kind::Scalar:
        if (node.quoted)
            out += '"' + printable(node.scalar) + '"';
        else
            out += printable(node.scalar);
        break;
    case YamlNode::Kind::List: write_list(out, node.items, limit); break;
    case YamlNode::Kind::Map: write_map(out, node.map, limit); break;
    }
}

}  // namespace

const YamlEntry* YamlMap::find(std::string_view key) const {
    const auto found = std::ranges::find(entries, key, &YamlEntry::key);
    return found == entries.end() ? nullptr : &*found;
}

YamlEntry* YamlMap::find(std::string_view key) {
    return const_cast<YamlEntry*>(std::as_const(*this).find(key));
}

const char* YamlNode::kind_text() const {
    switch (kind) {
    case Kind::Null: return "nothing";
    case Kind::Scalar: return "a single value";
    case Kind::List: return "a list";
    case Kind::Map: return "a map";
    }
    return "";
}

YamlPointer parse_yaml(const std::shared_ptr<const Source>& source, Diagnostics& diagnostics,
                       std::size_t begin) {
    if (!is_plain_utf8(source, diagnostics)) return nullptr;
    // Blanks keep the marks right, and so does a line end: without one yaml-cpp gives the last
    // column as 0.
    std::istringstream stream{std::string(begin, ' ') + source->text.substr(begin) + '\n'};
    YamlBuilder builder{source, diagnostics};
    try {
        YAML::Parser parser{stream};
        if (parser.HandleNextDocument(builder)) parser.HandleNextDocument(builder);
    } catch (const YAML::Exception& exception) {
        if (!builder.has_unclosed_quotes())
            report_syntax_error(exception, source, builder.open_place(), diagnostics);
        return nullptr;
    }
    return builder.result();
}

std::string yaml_text(const YamlNode& value, std::size_t limit) {
    std::string out;
    write(out, value, limit);
    return shortened(out, limit);
}

}  // namespace backplane::runtime
