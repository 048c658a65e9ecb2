// Builds the tree of one YAML document from yaml-cpp's events, keeping exact places and refusing
// what YAML lets pass.
#pragma once

#include "runtime/yaml_document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/mark.h>

#include <map>
#include <set>

namespace backplane::runtime {

class YamlBuilder final : public YAML::EventHandler {
public:
    YamlBuilder(std::shared_ptr<const Source> source, Diagnostics& diagnostics)
        : source_{std::move(source)}, diagnostics_{diagnostics} {}

    // Null when something was refused that leaves no tree.
    [[nodiscard]] YamlPointer result() const;
    // Where the innermost list or map begins whose end was not met.
    [[nodiscard]] Place open_place() const {
        return open_.empty() ? Place{} : open_.back().node->place;
    }
    // Then what follows was taken for text, and other syntax errors are only consequences.
    [[nodiscard]] bool has_unclosed_quotes() const { return has_unclosed_quotes_; }

    void OnDocumentStart(const YAML::Mark& mark) override;
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  const std::string& value) override;
    void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                         YAML::EmitterStyle::value style) override;
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                    YAML::EmitterStyle::value style) override;
    void OnMapEnd() override;

private:
    // A list or map whose end was not met yet.
    struct Open {
        std::shared_ptr<YamlNode> node;
        YAML::anchor_t anchor = 0;
        bool has_key = false;  // a map that waits for the value of `key`
        YamlEntry key;
        bool key_is_usable = false;
        bool key_is_merge = false;        // `<<`
        std::vector<YamlPointer> merges;  // values of `<<`
        std::map<std::string, Place, std::less<>> keys;
    };

    [[nodiscard]] bool waits_for_key() const;
    [[nodiscard]] std::size_t content_offset(const YAML::Mark& mark) const;
    [[nodiscard]] Place place_at(std::size_t offset, std::size_t length) const;
    [[nodiscard]] std::size_t quoted_length(std::size_t offset);
    void refuse_tag(const YAML::Mark& mark, const std::string& tag);
    void open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
              YAML::anchor_t anchor);
    void close();
    void add(YamlPointer node, YAML::anchor_t anchor);
    void add_key(const YamlNode& node);
    void add_merge(const YamlPointer& value);
    void merge_into(Open& map);

    std::shared_ptr<const Source> source_;
    Diagnostics& diagnostics_;
    std::vector<Open> open_;
    std::map<YAML::anchor_t, YamlPointer> anchors_;
    YamlPointer root_;
    bool has_unclosed_quotes_ = false;
    std::uint32_t documents_ = 0;
    std::size_t merged_entries_ = 0;
};

}  // namespace backplane::runtime
