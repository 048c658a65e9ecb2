// The clusters of a qcow2 file that hold its tables. A damaged file may call them free, or say that
// they hold data; nothing is written there then.
#pragma once

#include "images/qcow2/header.h"

#include <cstdint>
#include <span>
#include <unordered_set>

namespace backplane::images::qcow2 {

class MetadataClusters {
public:
    explicit MetadataClusters(unsigned cluster_bits) : cluster_bits_{cluster_bits} {}

    void add(std::uint64_t offset, std::uint64_t length = 1) {
        if (length == 0) return;
        for (std::uint64_t at = offset >> cluster_bits_;
             at <= (offset + length - 1) >> cluster_bits_; ++at)
            clusters_.insert(at);
    }
    void remove(std::uint64_t offset) { clusters_.erase(offset >> cluster_bits_); }
    bool overlap(std::uint64_t offset, std::uint64_t length) const {
        for (std::uint64_t at = offset >> cluster_bits_;
             at <= (offset + length - 1) >> cluster_bits_; ++at)
            if (clusters_.contains(at)) return true;
        return false;
    }

private:
    unsigned cluster_bits_;
    std::unordered_set<std::uint64_t> clusters_;
};

}  // namespace backplane::images::qcow2
