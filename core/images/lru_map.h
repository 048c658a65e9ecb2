// Values by number, in the order of their last use.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <unordered_map>
#include <utility>

namespace backplane::images {

template <class Value>
class LruMap {
public:
    std::size_t size() const { return entries_.size(); }
    bool contains(std::uint64_t key) const { return places_.contains(key); }

    // Null: it is not there.
    Value* find(std::uint64_t key) {
        const auto place = places_.find(key);
        return place == places_.end() ? nullptr : &place->second->second;
    }
    // The same, which counts as use.
    Value* use(std::uint64_t key) {
        const auto place = places_.find(key);
        if (place == places_.end()) return nullptr;
        entries_.splice(entries_.begin(), entries_, place->second);
        return &place->second->second;
    }

    // It must not be there.
    void add(std::uint64_t key, Value value) {
        entries_.emplace_front(key, std::move(value));
        places_.emplace(key, entries_.begin());
    }

    // Calls gone(value) for what is removed.
    template <class Gone> void remove_oldest(Gone gone) {
        gone(entries_.back().second);
        places_.erase(entries_.back().first);
        entries_.pop_back();
    }
    // Calls keep(key, value) for each key from `first` to `last`; removes those it gives false for.
    template <class Keep> void filter(std::uint64_t first, std::uint64_t last, Keep keep) {
        if (last - first < entries_.size()) {
            for (std::uint64_t key = first; key <= last; ++key)
                if (const auto place = places_.find(key);
                    place != places_.end() && !keep(key, place->second->second)) {
                    entries_.erase(place->second);
                    places_.erase(place);
                }
            return;
        }
        for (auto entry = entries_.begin(); entry != entries_.end();) {
            const auto [key, is_kept] = std::pair{entry->first,
                                                  entry->first < first || entry->first > last ||
                                                      keep(entry->first, entry->second)};
            if (is_kept) {
                ++entry;
                continue;
            }
            places_.erase(key);
            entry = entries_.erase(entry);
        }
    }

private:
    using Entries = std::list<std::pair<std::uint64_t, Value>>;

    Entries entries_;  // used last, first
    std::unordered_map<std::uint64_t, typename Entries::iterator> places_;
};

}  // namespace backplane::images
