#include "runtime/control/argument_values.h"

#include "runtime/nearest_name.h"
#include "runtime/printable_text.h"
#include "runtime/property_report.h"
#include "runtime/property_value.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>

namespace backplane::runtime::control {

namespace {

std::unexpected<Error> bad_argument(const Command& command, const std::string& what) {
    return refuse(ErrorKind::BadArgument, fmt::format("{}: {}", command.name, what));
}

std::string unknown_argument(const Command& command, const std::string& name) {
    if (command.arguments.empty())
        return fmt::format("{} is not an argument; it takes none", in_quotes(name));
    std::vector<std::string> names;
    for (const auto& argument : command.arguments)
        names.emplace_back(argument.name);
    const std::string hint = did_you_mean(name, names);
    return fmt::format("{} is not an argument; {}", in_quotes(name),
                       hint.empty() ? fmt::format("expected {}", fmt::join(names, ", ")) : hint);
}

// As a machine file would spell it; nothing when no spelling of this kind could be meant.
std::optional<std::string> spelling(const backplane_property& argument, const ordered_json& value) {
    if (value.is_string()) return value.get<std::string>();
    if (is_text(argument)) return std::nullopt;
    if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
    if (value.is_number_integer()) return value.dump();
    return std::nullopt;
}

}  // namespace

std::expected<ArgumentValues, Error> ArgumentValues::read(const Command& command,
                                                          const ordered_json& given) {
    for (const auto& [name, value] : given.items())
        if (std::ranges::find(command.arguments, name, &backplane_property::name) ==
            command.arguments.end())
            return bad_argument(command, unknown_argument(command, name));

    ArgumentValues values{command};
    for (const backplane_property& argument : command.arguments) {
        const auto found = given.find(argument.name);
        if (found == given.end() || found->is_null()) {
            if (is_required(argument))
                return bad_argument(command,
                                    fmt::format("the argument '{}' is missing: {}; expected {}",
                                                argument.name, argument.doc, kind_text(argument)));
            add_default(argument, values.values_);
            continue;
        }
        const auto text = spelling(argument, *found);
        if (!text)
            return bad_argument(command, fmt::format("{} cannot be {}; expected {}", argument.name,
                                                     found->type_name(), kind_text(argument)));
        if (is_text(argument)) {
            if (text->contains('\0'))
                return bad_argument(
                    command, fmt::format("{}: the text contains a NUL character", argument.name));
            values.values_.add_text(*text);
            continue;
        }
        const auto value = parse_value(argument, *text);
        if (!value)
            return bad_argument(command,
                                fmt::format("{}: {} {}; {}", argument.name, in_quotes(*text),
                                            value.error().problem, value.error().expected));
        values.values_.add(*value);
    }
    return values;
}

std::size_t ArgumentValues::index(std::string_view name) const {
    for (std::size_t at = 0; at < command_->arguments.size(); ++at)
        if (name == command_->arguments[at].name) return at;
    throw std::logic_error(
        fmt::format("the command {} does not declare '{}'", command_->name, name));
}

std::string_view ArgumentValues::choice(std::string_view name) const {
    const std::size_t at = index(name);
    return command_->arguments[at].choices[values_[at].u];
}

}  // namespace backplane::runtime::control
