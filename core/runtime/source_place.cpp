#include "runtime/source_place.h"

#include "runtime/printable_text.h"

#include <fmt/format.h>

namespace backplane::runtime {

std::string_view Source::line(std::uint32_t number) const {
    std::string_view rest = text;
    for (; number > 1; --number) {
        const auto end = rest.find('\n');
        if (end == rest.npos) return {};
        rest.remove_prefix(end + 1);
    }
    rest = rest.substr(0, rest.find('\n'));
    if (rest.ends_with('\r')) rest.remove_suffix(1);
    return rest;
}

std::string Place::text() const {
    if (!source || source->kind == Source::Kind::CommandLine) return short_text();
    return fmt::format("{}:{}", short_text(), column);
}

std::string Place::short_text() const {
    if (!source) return {};
    const std::string name = printable(source->name);
    if (source->kind == Source::Kind::CommandLine) return shortened(name, 60);
    return fmt::format("{}:{}", name, line);
}

}  // namespace backplane::runtime
