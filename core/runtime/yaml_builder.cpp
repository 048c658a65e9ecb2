#include "runtime/yaml_builder.h"

#include "runtime/printable_text.h"

#include <algorithm>

namespace backplane::runtime {

namespace {

// Merging maps into maps into maps lets a small file grow without bound; no machine needs this many
// keys.
constexpr std::size_t most_merged_entries = 100'000;

// `null`, `~` and the like, as opposed to nothing at all, for which yaml-cpp gives the mark of what
// comes next.
bool is_null_word_at(std::string_view text) {
    const std::string_view word = text.substr(0, text.find_first_of(" \t\r\n,]}#:"));
    return word == "null" || word == "~" || word == "Null" || word == "NULL";
}

}  // namespace

YamlPointer YamlBuilder::result() const {
    // An empty text.
    if (documents_ == 0) {
        auto node = std::make_shared<YamlNode>();
        node->place = place_at(0, 1);
        return node;
    }
    return has_unclosed_quotes_ ? nullptr : root_;
}

void YamlBuilder::OnDocumentStart(const YAML::Mark& mark) {
    if (++documents_ == 2)
        diagnostics_.error(place_at(static_cast<std::size_t>(mark.pos), 1),
                           "a second document starts here", "a machine file holds one");
}

bool YamlBuilder::waits_for_key() const {
    return !open_.empty() && open_.back().node->is_map() && !open_.back().has_key;
}

// A node's mark is that of its anchor or tag, if it has one; the value follows.
std::size_t YamlBuilder::content_offset(const YAML::Mark& mark) const {
    const std::string_view text = source_->text;
    std::size_t at = std::min(static_cast<std::size_t>(mark.pos), text.size());
    while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
        at = std::min(text.find_first_of(" \t\r\n", at), text.size());
        while (at < text.size() && std::string_view{" \t\r\n#"}.contains(text[at]))
            at = text[at] == '#' ? std::min(text.find('\n', at), text.size()) : at + 1;
    }
    return at;
}

Place YamlBuilder::place_at(std::size_t offset, std::size_t length) const {
    const std::string_view text = source_->text;
    offset = std::min(offset, text.size());
    // At the end of the text: point behind its last visible character.
    if (offset == text.size() && offset > 0) {
        const auto last = text.find_last_not_of(" \t\r\n");
        offset = last == text.npos ? 0 : last + 1;
    }
    const std::string_view before = text.substr(0, offset);
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 == 0
    const std::size_t line_end = std::min(text.find_first_of("\r\n", offset), text.size());
    return {.source = source_,
            .line = static_cast<std::uint32_t>(std::ranges::count(before, '\n') + 1),
            .column = static_cast<std::uint32_t>(offset - line_start + 1),
            .length = static_cast<std::uint32_t>(
                std::max<std::size_t>(std::min(length, line_end - offset), 1))};
}

// Also finds quotes that are never closed, which yaml-cpp 0.7 accepts.
std::size_t YamlBuilder::quoted_length(std::size_t offset) {
    const std::string_view text = source_->text;
    const char quote = text[offset];
    for (std::size_t at = offset + 1; at < text.size(); ++at) {
        if (quote == '"' && text[at] == '\\') {
            ++at;
        } else if (text[at] == quote) {
            if (quote == '"' || at + 1 >= text.size() || text[at + 1] != '\'')
                return at + 1 - offset;
            ++at;  // '' inside single quotes is one quote
        }
    }
    has_unclosed_quotes_ = true;
    diagnostics_.error(place_at(offset, 1), "these quotes are never closed");
    return 1;
}

void YamlBuilder::refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    diagnostics_.error(place_at(static_cast<std::size_t>(mark.pos), 1),
                       "machine files have no YAML tags", "text that starts with '!' needs quotes");
}

void YamlBuilder::OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) {
    auto node = std::make_shared<YamlNode>();
    const std::size_t at = content_offset(mark);
    if (is_null_word_at(std::string_view{source_->text}.substr(at))) {
        node->scalar = source_->text.substr(at, source_->text[at] == '~' ? 1 : 4);
        node->place = place_at(at, node->scalar.size());
    } else if (!open_.empty() && open_.back().has_key) {
        node->place = open_.back().key.key_place;
    } else {
        node->place = place_at(at, 1);
    }
    add(std::move(node), anchor);
}

void YamlBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) {
    const auto offset = static_cast<std::size_t>(mark.pos);
    const auto end = std::min(source_->text.find_first_of(" \t\r\n,]}", offset),
                              source_->text.size());
    if (waits_for_key()) {
        diagnostics_.error(place_at(offset, end - offset), "an alias cannot be a key");
        open_.back().has_key = true;
        open_.back().key_is_usable = false;
        return;
    }
    const auto found = anchors_.find(anchor);
    if (found != anchors_.end()) {
        add(found->second, 0);
        return;
    }
    diagnostics_.error(place_at(offset, end - offset),
                       "this alias stands inside the value it names");
    auto node = std::make_shared<YamlNode>();
    node->place = place_at(offset, end - offset);
    add(std::move(node), 0);
}

void YamlBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
    refuse_tag(mark, tag);
    auto node = std::make_shared<YamlNode>();
    node->kind = YamlNode::Kind::Scalar;
    node->scalar = value;
    const std::size_t at = content_offset(mark);
    const std::string_view rest = std::string_view{source_->text}.substr(at);
    const bool has_quotes = rest.starts_with('"') || rest.starts_with('\'');
    node->quoted = has_quotes || rest.starts_with('|') || rest.starts_with('>');
    // A plain scalar on several lines is folded; then only its first line is marked.
    std::size_t length = 1;
    if (has_quotes)
        length = quoted_length(at);
    else if (rest.starts_with(value))
        length = value.size();
    else if (!node->quoted)
        length = std::min(rest.find_first_of("\r\n"), rest.size());
    node->place = place_at(at, length);
    add(std::move(node), anchor);
}

void YamlBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag,
                                  YAML::anchor_t anchor, YAML::EmitterStyle::value) {
    open(YamlNode::Kind::List, mark, tag, anchor);
}

void YamlBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value) {
    open(YamlNode::Kind::Map, mark, tag, anchor);
}

void YamlBuilder::open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                       YAML::anchor_t anchor) {
    refuse_tag(mark, tag);
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->place = place_at(content_offset(mark), 1);
    Open& opened = open_.emplace_back();
    opened.node = std::move(node);
    opened.anchor = anchor;
}

void YamlBuilder::OnMapEnd() {
    merge_into(open_.back());
    close();
}

void YamlBuilder::close() {
    const Open closed = std::move(open_.back());
    open_.pop_back();
    add(closed.node, closed.anchor);
}

void YamlBuilder::add(YamlPointer node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    if (open_.empty()) {
        if (documents_ == 1) root_ = std::move(node);
        return;
    }
    Open& parent = open_.back();
    if (parent.node->is_list()) {
        parent.node->items.push_back(std::move(node));
        return;
    }
    if (!parent.has_key) {
        add_key(*node);
        return;
    }
    parent.has_key = false;
    if (parent.key_is_merge) {
        add_merge(node);
    } else if (parent.key_is_usable) {
        parent.key.value = std::move(node);
        parent.node->map.entries.push_back(std::move(parent.key));
    }
}

void YamlBuilder::add_key(const YamlNode& node) {
    Open& map = open_.back();
    map.has_key = true;
    map.key_is_merge = false;
    map.key_is_usable = node.is_scalar();
    map.key = YamlEntry{};
    map.key.key = node.scalar;
    map.key.key_place = node.place;
    if (!node.is_scalar()) {
        diagnostics_.error(node.place, std::string{"a key cannot be "} + node.kind_text());
        return;
    }
    const auto [first, is_new] = map.keys.try_emplace(node.scalar, node.place);
    if (!is_new) {
        map.key_is_usable = false;
        diagnostics_.error(node.place, "the key " + in_quotes(node.scalar) + " is given twice")
            .notes.push_back({first->second, "first given here"});
        return;
    }
    map.key_is_merge = !node.quoted && node.scalar == "<<";
}

void YamlBuilder::add_merge(const YamlPointer& value) {
    Open& map = open_.back();
    const auto refuse = [&](const YamlNode& node) {
        diagnostics_.error(map.key.key_place, std::string{"'<<' cannot merge "} + node.kind_text(),
                           "expected an alias of a map, or a list of them");
    };
    if (value->is_map()) {
        map.merges.push_back(value);
    } else if (value->is_list()) {
        for (const YamlPointer& item : value->items) {
            if (item->is_map())
                map.merges.push_back(item);
            else
                refuse(*item);
        }
    } else {
        refuse(*value);
    }
}

// https://yaml.org/type/merge.html: the map's own keys win, then those of the first map merged.
void YamlBuilder::merge_into(Open& map) {
    for (const YamlPointer& from : map.merges) {
        for (const YamlEntry& entry : from->map.entries) {
            if (!map.keys.try_emplace(entry.key, entry.key_place).second) continue;
            if (++merged_entries_ > most_merged_entries) {
                if (merged_entries_ == most_merged_entries + 1)
                    diagnostics_.error(map.node->place,
                                       "'<<' brings more keys than a machine file may have");
                return;
            }
            map.node->map.entries.push_back(entry);
        }
    }
}

}  // namespace backplane::runtime
