// A YAML text as a tree that remembers where everything was written, and that is strict where YAML
// is lax.
#pragma once

#include "runtime/diagnostics.h"
#include "runtime/source_place.h"

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::runtime {

struct YamlNode;
using YamlPointer = std::shared_ptr<const YamlNode>;

struct YamlEntry {
    std::string key;
    Place key_place;
    YamlPointer value;  // never null
    // Which text said so: files in the order in which they are merged, the command line last. Set
    // by merging.
    std::uint32_t layer = 0;
    std::shared_ptr<const YamlEntry> replaced;  // what a less specific layer said
};

// Keys in the order in which they were first written; each key once.
struct YamlMap {
    std::vector<YamlEntry> entries;

    [[nodiscard]] const YamlEntry* find(std::string_view key) const;
    [[nodiscard]] YamlEntry* find(std::string_view key);
};

struct YamlNode {
    enum class Kind { Null, Scalar, List, Map };

    Kind kind = Kind::Null;
    Place place;
    std::string
        scalar;  // of a null: the word it was written with; empty when nothing was written at all
    bool quoted = false;  // a scalar in quotes or a block scalar: text, never a number
    std::vector<YamlPointer> items;
    YamlMap map;

    [[nodiscard]] bool is_null() const { return kind == Kind::Null; }
    // `null` was written, as opposed to a key with nothing behind it.
    [[nodiscard]] bool is_written_null() const { return is_null() && !scalar.empty(); }
    [[nodiscard]] bool is_scalar() const { return kind == Kind::Scalar; }
    [[nodiscard]] bool is_list() const { return kind == Kind::List; }
    [[nodiscard]] bool is_map() const { return kind == Kind::Map; }
    // "a list", "a map", "nothing" … for messages.
    [[nodiscard]] const char* kind_text() const;
};

// Reads one document. Anchors are followed and `<<` is merged. Refused, with their places: syntax
// errors, anything but UTF-8, duplicate keys, keys that are not scalars, tags, a second document.
// Null when the text has no usable structure; other errors leave a tree that can be checked
// further. An empty text gives a null node. What stands before `begin` is not part of the document.
[[nodiscard]] YamlPointer parse_yaml(const std::shared_ptr<const Source>& source,
                                     Diagnostics& diagnostics, std::size_t begin = 0);

// `value` on one line as YAML would be written, cut off after `limit` characters.
[[nodiscard]] std::string yaml_text(const YamlNode& value, std::size_t limit = 60);

}  // namespace backplane::runtime
