#include "runtime/diagnostics.h"

#include "runtime/printable_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <iterator>
#include <tuple>

namespace backplane::runtime {

namespace {

const char* name_of(Severity severity) { return severity == Severity::Error ? "error" : "warning"; }

// The part of a line that is shown, and where the caret goes in it.
struct Excerpt {
    std::string_view text;
    std::string_view before_caret;
    std::string_view marked;
    bool cut_front = false, cut_back = false;
};

// bytes of a source line; longer ones are cut around the caret
constexpr std::size_t longest_excerpt = 120;

Excerpt excerpt_of(const Place& place) {
    const std::string_view line = place.source->line(place.line);
    const auto is_inside_character = [&](std::size_t at) {
        return at < line.size() && (static_cast<unsigned char>(line[at]) & 0xc0) == 0x80;
    };
    const std::size_t column = std::min<std::size_t>(place.column - 1, line.size());
    std::size_t begin = 0, end = line.size();
    if (line.size() > longest_excerpt) {
        begin = column > longest_excerpt / 3 ? column - longest_excerpt / 3 : 0;
        while (begin > 0 && is_inside_character(begin))
            --begin;
        end = std::min(line.size(), begin + longest_excerpt);
        while (is_inside_character(end))
            ++end;
    }
    const std::size_t marked_end = std::min<std::size_t>(column + place.length, end);
    return {.text = line.substr(begin, end - begin),
            .before_caret = line.substr(begin, column - begin),
            .marked = line.substr(column, marked_end > column ? marked_end - column : 0),
            .cut_front = begin > 0,
            .cut_back = end < line.size()};
}

// Tabs stay tabs, so that the caret stands under what it means at any tab width.
std::string without_controls(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto tab = text.find('\t');
        result += printable(text.substr(0, tab));
        if (tab == text.npos) break;
        result += '\t';
        text.remove_prefix(tab + 1);
    }
    return result;
}

std::size_t characters_in(std::string_view text) {
    return static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string blanks_like(std::string_view text) {
    std::string result;
    for (const char c : text) {
        if (c == '\t')
            result += '\t';
        else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80)
            result += ' ';
    }
    return result;
}

void write_excerpt(std::string& out, const Place& place, const std::string& hint) {
    const Excerpt excerpt = excerpt_of(place);
    const char* front = excerpt.cut_front ? "…" : "";
    const std::string number = place.source->kind == Source::Kind::File
                                   ? fmt::format("{:>5}", place.line)
                                   : "     ";
    const std::size_t width = std::max<std::size_t>(characters_in(excerpt.marked), 1);
    out += fmt::format("{} | {}{}{}\n", number, front, without_controls(excerpt.text),
                       excerpt.cut_back ? "…" : "");
    out += fmt::format("      | {}{}^{}{}{}\n", excerpt.cut_front ? " " : "",
                       blanks_like(without_controls(excerpt.before_caret)),
                       std::string(width - 1, '~'), hint.empty() ? "" : " ", printable(hint));
}

// Messages of others, such as a plugin's loader, may have several lines: the first is the message.
struct MessageLines {
    std::string first;
    std::vector<std::string> rest;
};

MessageLines lines_of(std::string_view message) {
    const auto end = message.find('\n');
    MessageLines lines{printable(message.substr(0, end)), {}};
    while (message.contains('\n')) {
        message.remove_prefix(message.find('\n') + 1);
        lines.rest.push_back(printable(message.substr(0, message.find('\n'))));
    }
    return lines;
}

std::string joined(const MessageLines& lines) {
    std::string text = lines.first;
    for (const std::string& line : lines.rest)
        text += '\n' + line;
    return text;
}

nlohmann::json json_of(const Place& place) {
    if (!place) return nullptr;
    if (place.source->kind == Source::Kind::CommandLine)
        return {{"option", printable(place.source->name)}};
    return {{"file", printable(place.source->name)},
            {"line", place.line},
            {"column", place.column},
            {"length", place.length}};
}

auto sort_key(const Diagnostic& diagnostic) {
    const Place& place = diagnostic.place;
    const int group = !place ? 2 : place.source->kind == Source::Kind::CommandLine ? 1 : 0;
    return std::tuple{group, place ? std::string_view{place.source->name} : std::string_view{},
                      place.line, place.column};
}

}  // namespace

Diagnostic& Diagnostics::error(Place place, std::string message, std::string hint) {
    return all_.emplace_back(
        Diagnostic{Severity::Error, std::move(place), std::move(message), std::move(hint), {}});
}

Diagnostic& Diagnostics::warning(Place place, std::string message, std::string hint) {
    return all_.emplace_back(
        Diagnostic{Severity::Warning, std::move(place), std::move(message), std::move(hint), {}});
}

bool Diagnostics::has_errors() const { return count(Severity::Error) != 0; }

std::size_t Diagnostics::count(Severity severity) const {
    return static_cast<std::size_t>(std::ranges::count(all_, severity, &Diagnostic::severity));
}

std::vector<Diagnostic> Diagnostics::sorted() const {
    std::vector<const Diagnostic*> order;
    for (const Diagnostic& diagnostic : all_)
        order.push_back(&diagnostic);
    std::ranges::sort(order, [](const Diagnostic* a, const Diagnostic* b) {
        const auto key_a = sort_key(*a), key_b = sort_key(*b);
        return key_a != key_b ? key_a < key_b : a < b;  // at one place: in the order of discovery
    });
    std::vector<Diagnostic> result;
    for (const Diagnostic* diagnostic : order)
        result.push_back(*diagnostic);
    return result;
}

std::string to_text(const Diagnostic& diagnostic) {
    std::string out;
    if (diagnostic.place) out += diagnostic.place.text() + ": ";
    const MessageLines message = lines_of(diagnostic.message);
    out += fmt::format("{}: {}\n", name_of(diagnostic.severity), message.first);
    if (diagnostic.place)
        write_excerpt(out, diagnostic.place, diagnostic.hint);
    else if (!diagnostic.hint.empty())
        out += fmt::format("      {}\n", printable(diagnostic.hint));
    for (const std::string& line : message.rest)
        if (!line.empty()) out += fmt::format("      {}\n", line);
    for (const Diagnostic::Note& note : diagnostic.notes) {
        out += fmt::format("      note: {}", printable(note.message));
        if (note.place) out += fmt::format(" ({})", note.place.text());
        out += '\n';
    }
    return out;
}

std::string Diagnostics::text() const {
    std::string out;
    for (const Diagnostic& diagnostic : sorted())
        out += to_text(diagnostic);
    return out;
}

nlohmann::json Diagnostics::json() const {
    auto list = nlohmann::json::array();
    for (const Diagnostic& diagnostic : sorted()) {
        auto notes = nlohmann::json::array();
        for (const Diagnostic::Note& note : diagnostic.notes)
            notes.push_back({{"message", printable(note.message)}, {"place", json_of(note.place)}});
        list.push_back({{"severity", name_of(diagnostic.severity)},
                        {"message", joined(lines_of(diagnostic.message))},
                        {"hint", printable(diagnostic.hint)},
                        {"place", json_of(diagnostic.place)},
                        {"notes", std::move(notes)}});
    }
    return list;
}

}  // namespace backplane::runtime
