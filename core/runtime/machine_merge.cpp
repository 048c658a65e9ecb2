#include "runtime/machine_merge.h"

namespace backplane::runtime {

namespace {

YamlPointer merged(const YamlNode* under, const YamlPointer& over, std::uint32_t layer,
                   unsigned depth) {
    if (!over->is_map() || depth == 0) return over;
    auto node = std::make_shared<YamlNode>();
    node->kind = YamlNode::Kind::Map;
    node->place = over->place;
    if (under != nullptr && under->is_map()) node->map = under->map;
    merge_map(node->map, over->map, layer, depth - 1);
    return node;
}

}  // namespace

void merge_map(YamlMap& into, const YamlMap& from, std::uint32_t layer, unsigned depth) {
    for (const YamlEntry& entry : from.entries) {
        YamlEntry* known = into.find(entry.key);
        YamlEntry result = entry;
        result.value = merged(known ? known->value.get() : nullptr, entry.value, layer, depth);
        result.layer = layer;
        result.replaced = nullptr;
        if (known == nullptr) {
            into.entries.push_back(std::move(result));
            continue;
        }
        result.replaced = std::make_shared<const YamlEntry>(std::move(*known));
        *known = std::move(result);
    }
}

}  // namespace backplane::runtime
