#include "runtime/nearest_name.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace backplane::runtime {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Edits that turn a into b: insertions, deletions, replacements and swaps of neighbours (optimal
// string alignment; https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance). Case costs
// nothing.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const bool same = lower(a[i - 1]) == lower(b[j - 1]);
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
        before_last.swap(last);
        last.swap(row);
    }
    return last[b.size()];
}

// "pit8254" for "chipset.pit8254": what people leave out.
bool is_last_part(std::string_view wanted, std::string_view known) {
    return known.size() > wanted.size() + 1 && known.ends_with(wanted) &&
           known[known.size() - wanted.size() - 1] == '.';
}

}  // namespace

std::vector<std::string> nearest_names(std::string_view wanted,
                                       std::span<const std::string> known) {
    struct Candidate {
        std::size_t distance;
        const std::string* name;
    };
    // One slip in three letters, but never so many that any short name would do.
    const std::size_t limit = std::min<std::size_t>(std::max<std::size_t>(wanted.size() / 3, 1), 4);
    std::vector<Candidate> candidates;
    for (const std::string& name : known) {
        if (wanted.empty()) break;
        const std::size_t distance = is_last_part(wanted, name) ? 1 : edit_distance(wanted, name);
        if (distance <= limit && distance < name.size()) candidates.push_back({distance, &name});
    }
    std::ranges::sort(candidates, {}, [](const Candidate& candidate) {
        return std::pair{candidate.distance, std::string_view{*candidate.name}};
    });

    std::vector<std::string> names;
    for (const Candidate& candidate : candidates) {
        if (names.size() == 3) break;
        if (std::ranges::find(names, *candidate.name) == names.end())
            names.push_back(*candidate.name);
    }
    return names;
}

std::string did_you_mean(std::string_view wanted, std::span<const std::string> known) {
    const std::vector<std::string> names = nearest_names(wanted, known);
    if (names.empty()) return {};
    std::string text = "did you mean ";
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i != 0) text += i + 1 == names.size() ? " or " : ", ";
        text += "'" + names[i] + "'";
    }
    return text + "?";
}

}  // namespace backplane::runtime
