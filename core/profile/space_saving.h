// The heaviest of a stream of keys in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi,
// "Efficient Computation of Frequent and Top-k Elements in Data Streams", 2005). A key that is new
// replaces the lightest one and takes over its weight, which is how much too heavy it may be at
// most; so whatever has more than a share of 1 / capacity of all weight is there.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace backplane::profile {

template <class Key, class Hash = std::hash<Key>>
class SpaceSaving {
public:
    struct Entry {
        Key key;
        std::uint64_t hits = 0;    // since it is here
        std::uint64_t weight = 0;  // at least what is true,
        std::uint64_t error = 0;   // and at most so much more
    };

    explicit SpaceSaving(std::size_t capacity) : capacity_{capacity} {}

    void add(const Key& key, std::uint64_t hits, std::uint64_t weight) {
        total_ += weight;
        if (capacity_ == 0) return;
        if (const auto known = places_.find(key); known != places_.end()) {
            Entry& entry = entries_[known->second];
            entry.hits += hits;
            entry.weight += weight;
            return;
        }
        if (entries_.size() < capacity_) {
            places_.emplace(key, entries_.size());
            entries_.push_back({key, hits, weight, 0});
            return;
        }
        Entry& lightest = *std::ranges::min_element(entries_, {}, &Entry::weight);
        const auto place = static_cast<std::size_t>(&lightest - entries_.data());
        places_.erase(lightest.key);
        places_.emplace(key, place);
        lightest = {key, hits, lightest.weight + weight, lightest.weight};
    }

    // The heaviest first.
    std::vector<Entry> heaviest(std::size_t count) const {
        std::vector<Entry> result = entries_;
        std::ranges::stable_sort(result, std::greater{}, &Entry::weight);
        result.resize(std::min(count, result.size()));
        return result;
    }

    std::uint64_t total() const { return total_; }
    std::size_t capacity() const { return capacity_; }
    void clear() {
        entries_.clear();
        places_.clear();
        total_ = 0;
    }

private:
    std::size_t capacity_;
    std::uint64_t total_ = 0;
    std::vector<Entry> entries_;
    std::unordered_map<Key, std::size_t, Hash> places_;
};

}  // namespace backplane::profile
