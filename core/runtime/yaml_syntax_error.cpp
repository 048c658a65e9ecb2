#include "runtime/yaml_syntax_error.h"

#include <yaml-cpp/exceptions.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace backplane::runtime {

namespace {

struct Translation {
    const char* from;
    const char* message;
    const char* hint;
};

using namespace YAML::ErrorMsg;

const std::array translations{
    Translation{END_OF_MAP, "this does not continue the map above it", "check the indentation"},
    Translation{END_OF_SEQ, "this does not continue the list above it", "check the indentation"},
    Translation{END_OF_MAP_FLOW, "a map in braces is not well-formed",
                "expected ',' or '}' before this"},
    Translation{END_OF_SEQ_FLOW, "a list in brackets is not well-formed",
                "expected ',' or ']' before this"},
    Translation{FLOW_END, "this closes nothing", ""},
    Translation{MAP_VALUE, "a ':' is not possible here", "text that contains ': ' needs quotes"},
    Translation{MAP_KEY, "a '?' is not possible here", "text that starts with it needs quotes"},
    Translation{BLOCK_ENTRY, "a list item is not possible here", "check the indentation"},
    Translation{UNKNOWN_TOKEN, "a value cannot start with this character",
                "put the value in quotes"},
    Translation{UNKNOWN_ANCHOR, "no anchor of this name is defined above", ""},
    Translation{ALIAS_NOT_FOUND, "a '*' must be followed by the name of an anchor",
                "text that starts with it needs quotes"},
    Translation{ANCHOR_NOT_FOUND, "a '&' must be followed by a name",
                "text that starts with it needs quotes"},
    Translation{EOF_IN_SCALAR, "the text ends inside quotes", ""},
    Translation{INVALID_ESCAPE, "this escape is not known", "a backslash itself is written \\\\"},
};

// A mark behind the last visible character shows nothing: the end of that is shown instead.
Place place_of(const YAML::Exception& exception, const std::shared_ptr<const Source>& source) {
    const std::string_view text = source->text;
    const std::string_view visible = text.substr(0, text.find_last_not_of(" \t\r\n") + 1);
    const auto last_line = static_cast<std::uint32_t>(std::ranges::count(visible, '\n') + 1);
    const auto end = static_cast<std::uint32_t>(visible.size() - (visible.rfind('\n') + 1) + 1);
    Place place{.source = source, .line = last_line, .column = end, .length = 1};
    if (exception.mark.is_null()) return place;
    const auto line = static_cast<std::uint32_t>(exception.mark.line) + 1;
    const auto column = static_cast<std::uint32_t>(exception.mark.column) + 1;
    if (line > last_line || (line == last_line && column > end)) return place;
    place.line = line;
    place.column = column;
    return place;
}

}  // namespace

void report_syntax_error(const YAML::Exception& exception,
                         const std::shared_ptr<const Source>& source, const Place& open,
                         Diagnostics& diagnostics) {
    Place place = place_of(exception, source);
    // yaml-cpp gives the character behind `\\x`.
    if (exception.msg.starts_with(INVALID_ESCAPE) && place.column > 2) {
        place.column -= 2;
        place.length = 2;
    }
    const std::string_view line = source->line(place.line);
    const std::string_view indentation = line.substr(0, line.find_first_not_of(" \t"));
    if (const auto tab = indentation.find('\t'); tab != indentation.npos) {
        place.column = static_cast<std::uint32_t>(tab) + 1;
        diagnostics.error(place, "a tab in the indentation", "YAML is indented with spaces");
        return;
    }
    const auto known = std::ranges::find_if(translations, [&](const Translation& each) {
        return exception.msg.starts_with(each.from);
    });
    if (known == translations.end()) {
        diagnostics.error(place, "not valid YAML: " + exception.msg);
        return;
    }
    Diagnostic& error = diagnostics.error(place, known->message, known->hint);
    if (open && (exception.msg == END_OF_MAP_FLOW || exception.msg == END_OF_SEQ_FLOW))
        error.notes.push_back({open, "it starts here"});
}

}  // namespace backplane::runtime
