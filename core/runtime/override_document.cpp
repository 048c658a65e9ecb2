#include "runtime/override_document.h"

#include "runtime/printable_text.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>

namespace backplane::runtime {

namespace {

constexpr std::string_view option_name = "-p ";
constexpr std::string_view path_example =
    "expected -p DEVICE.KEY=VALUE, such as -p cpu0.type=cpu.interp";

struct Step {
    std::string key;
    Place place;
};

Place part_of(const std::shared_ptr<const Source>& source, std::size_t offset, std::size_t length) {
    return {.source = source,
            .line = 1,
            .column = static_cast<std::uint32_t>(offset + 1),
            .length = static_cast<std::uint32_t>(std::max<std::size_t>(length, 1))};
}

bool is_key_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

// Where `text` itself is written; options other than -p are marked as a whole.
Place place_of(const std::shared_ptr<const Source>& source, const Override& setting,
               std::size_t offset, std::size_t length) {
    const bool is_assignment = setting.spelled ==
                               std::string{option_name} + setting.path + "=" + setting.value;
    if (!is_assignment) return part_of(source, 0, source->text.size());
    return part_of(source, offset, length);
}

std::optional<std::vector<Step>> steps_of(const std::shared_ptr<const Source>& source,
                                          const Override& setting, Diagnostics& diagnostics) {
    std::vector<Step> steps;
    for (std::size_t begin = 0; begin <= setting.path.size();) {
        const std::size_t end = std::min(setting.path.find('.', begin), setting.path.size());
        const std::string key = setting.path.substr(begin, end - begin);
        const Place place = place_of(source, setting, option_name.size() + begin, key.size());
        if (key.empty() || !std::ranges::all_of(key, is_key_character)) {
            diagnostics.error(place, in_quotes(setting.path) + " is not a path of a setting",
                              std::string{path_example});
            return std::nullopt;
        }
        steps.push_back({key, place});
        begin = end + 1;
    }
    return steps;
}

YamlPointer value_of(const std::shared_ptr<const Source>& source, const Override& setting,
                     Diagnostics& diagnostics) {
    const std::size_t begin = option_name.size() + setting.path.size() + 1;
    const std::string_view value = setting.value;
    const std::size_t blanks = std::min(value.find_first_not_of(' '), value.size());
    const bool is_yaml = blanks < value.size() && std::string_view{"[{\"'"}.contains(value[blanks]);
    if (is_yaml && !setting.verbatim) return parse_yaml(source, diagnostics, begin);

    auto node = std::make_shared<YamlNode>();
    node->place = place_of(source, setting, begin, value.size());
    node->scalar = value;
    constexpr std::array nulls{"null", "~", "Null", "NULL"};
    const bool is_null = !setting.verbatim && std::ranges::find(nulls, value) != nulls.end();
    node->kind = is_null ? YamlNode::Kind::Null : YamlNode::Kind::Scalar;
    return node;
}

YamlPointer map_of(Step step, YamlPointer value) {
    auto node = std::make_shared<YamlNode>();
    node->kind = YamlNode::Kind::Map;
    node->place = step.place;
    YamlEntry& entry = node->map.entries.emplace_back();
    entry.key = std::move(step.key);
    entry.key_place = std::move(step.place);
    entry.value = std::move(value);
    return node;
}

}  // namespace

Override Override::assignment(const std::string& argument) {
    const auto equals = argument.find('=');
    if (equals == argument.npos) return {.spelled = "-p " + argument, .path = {}, .value = {}};
    return {.spelled = "-p " + argument,
            .path = argument.substr(0, equals),
            .value = argument.substr(equals + 1)};
}

Override Override::option(std::string spelled, std::string path, std::string value) {
    return {.spelled = std::move(spelled),
            .path = std::move(path),
            .value = std::move(value),
            .verbatim = true};
}

YamlPointer override_document(const Override& setting, Diagnostics& diagnostics) {
    auto source = std::make_shared<Source>();
    source->kind = Source::Kind::CommandLine;
    source->name = source->text = setting.spelled;
    std::error_code ignored;
    source->directory = std::filesystem::current_path(ignored);
    if (setting.path.empty()) {
        diagnostics.error(
            part_of(source, option_name.size(), source->text.size() - option_name.size()),
            "this is not a setting", std::string{path_example});
        return nullptr;
    }
    auto steps = steps_of(source, setting, diagnostics);
    if (!steps) return nullptr;
    const Step& first = steps->front();
    if (first.key == "include" || first.key == "devices" || first.key.starts_with("x-")) {
        diagnostics.error(first.place, in_quotes(first.key) + " cannot be set on the command line",
                          first.key == "devices" ? "a path starts with the device: cpu0.type"
                                                 : std::string{path_example});
        return nullptr;
    }
    YamlPointer value = value_of(source, setting, diagnostics);
    if (!value) return nullptr;
    if (first.key != "machine" && first.key != "plugins")
        steps->insert(steps->begin(), Step{"devices", first.place});
    for (auto step = steps->rbegin(); step != steps->rend(); ++step)
        value = map_of(std::move(*step), std::move(value));
    return value;
}

}  // namespace backplane::runtime
