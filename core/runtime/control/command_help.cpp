#include "runtime/control/command_help.h"

#include "runtime/control/run_state.h"
#include "runtime/control/subscriptions.h"
#include "runtime/property_report.h"
#include "runtime/property_value.h"
#include "runtime/text_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>

namespace backplane::runtime::control {

namespace {

using Rows = std::vector<std::vector<std::string>>;

std::string upper_case(std::string text) {
    for (char& c : text)
        c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

std::string sentence(std::string text) {
    if (!text.empty())
        text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
    return text + ".";
}

// "required", "default 16, 1 to 1048576", "physical (default) or linear"
std::string limits(const backplane_property& argument) {
    const std::string otherwise = is_required(argument) ? "required"
                                  : is_text(argument) && *argument.initial.text == '\0'
                                      ? "optional"
                                      : "default " + value_text(argument, argument.initial);
    if (argument.kind == BACKPLANE_CHOICE)
        return fmt::format("{}: {}", otherwise,
                           fmt::join(std::span{argument.choices, argument.choice_count}, ", "));
    const std::string range = range_text(argument);
    return range.empty() ? otherwise : otherwise + ", " + range;
}

Rows argument_rows(const Command& command) {
    Rows rows;
    for (const backplane_property& argument : command.arguments)
        rows.push_back({argument.name, kind_name(argument), limits(argument), argument.doc});
    return rows;
}

std::string remark(const ResultField& field) {
    return field.presence == Presence::Always ? "" : "sometimes";
}

void add_field_rows(Rows& rows, std::span<const ResultField> fields, const std::string& indent) {
    for (const ResultField& field : fields) {
        rows.push_back({indent + field.name, name_of(field.kind), remark(field), field.doc});
        add_field_rows(rows, field.fields, indent + "  ");
    }
}

const char* effect_text(const Command& command) {
    switch (command.effect) {
    case Effect::Looks: return "The guest does not notice.";
    case Effect::Steers: return "The guest does not notice; what it does is not changed.";
    case Effect::ChangesGuest:
        return "Changes the guest: a deterministic run does not repeat any more.";
    }
    return "";
}

// ---- Markdown ----

std::string cell(std::string text) {
    for (std::size_t at = text.find('|'); at != text.npos; at = text.find('|', at + 2))
        text.insert(at, "\\");
    return text;
}

void add_fields(std::string& out, std::span<const ResultField> fields, int depth) {
    for (const ResultField& field : fields) {
        out += fmt::format("{}- `{}` ({}{})", std::string(static_cast<std::size_t>(depth) * 2, ' '),
                           field.name, name_of(field.kind),
                           field.presence == Presence::Always ? "" : ", sometimes");
        if (*field.doc != '\0') out += fmt::format(": {}", field.doc);
        out += '\n';
        add_fields(out, field.fields, depth + 1);
    }
}

std::string section(const Command& command) {
    std::string out = fmt::format("### {}\n\n{}", command.name, sentence(command.summary));
    if (*command.details != '\0') out += fmt::format(" {}", command.details);
    if (command.effect == Effect::ChangesGuest) out += " *Changes the guest.*";
    out += "\n";
    if (!command.arguments.empty()) {
        out += "\n| argument | kind | | |\n| --- | --- | --- | --- |\n";
        for (const auto& row : argument_rows(command))
            out += fmt::format("| `{}` | {} | {} | {} |\n", row[0], row[1], cell(row[2]),
                               cell(row[3]));
    }
    if (!command.returns.empty()) {
        out += "\nReturns:\n\n";
        add_fields(out, command.returns, 0);
    }
    return out + "\n";
}

}  // namespace

std::string usage(const Command& command) {
    std::string text = command.name;
    for (const backplane_property& argument : command.arguments) {
        const std::string name = upper_case(argument.name);
        text += is_required(argument) ? " " + name : " [" + name + "]";
    }
    return text;
}

std::string command_table() {
    Rows rows;
    for (const Command* command : commands())
        rows.push_back({command->name, command->summary});
    return text_table(rows, 2);
}

std::string command_help(const Command& command) {
    std::string out = fmt::format("{}\n\n{}", usage(command), sentence(command.summary));
    if (*command.details != '\0') out += fmt::format(" {}", command.details);
    out += fmt::format("\n{}\n", effect_text(command));
    if (const Rows rows = argument_rows(command); !rows.empty())
        out += "\nArguments, in this order or as NAME=VALUE:\n" + text_table(rows, 2);
    Rows returned;
    add_field_rows(returned, command.returns, "");
    if (!returned.empty()) out += "\nReturns:\n" + text_table(returned, 2);
    return out;
}

std::string command_reference() {
    std::string out = "## Commands\n\n";
    for (const Command* command : commands())
        out += section(*command);
    out += fmt::format("## Events\n\n### {}\n\nThe machine stops, goes on, is reset or ends.\n\n",
                       run_state_topic);
    add_fields(out, RunState::event_fields, 0);
    out += "\n## Errors\n\n| kind | |\n| --- | --- |\n";
    for (const ErrorMeaning& error : error_meanings)
        out += fmt::format("| `{}` | {} |\n", error.name, error.doc);
    return out;
}

}  // namespace backplane::runtime::control
