// How fast a piece of code is, from the time that slices took which were spent in it.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

namespace backplane::jit::tier2 {

// A clock of the host that costs next to nothing to read.
inline std::uint64_t host_ticks() { return __builtin_ia32_rdtsc(); }

class Speed {
public:
    static constexpr std::size_t wanted = 8;

    void add(std::uint64_t ticks, std::uint64_t instructions) {
        if (instructions == 0) return;
        windows_[next_++ % wanted] = static_cast<double>(ticks) / static_cast<double>(instructions);
        count_ = std::min(count_ + 1, wanted);
    }

    bool is_known() const { return count_ == wanted; }

    // Ticks for an instruction. What else the host did meanwhile only makes a window longer, so
    // that one of the shortest tells most; the very shortest may have been measured wrongly.
    double ticks() const {
        auto sorted = windows_;
        std::ranges::nth_element(sorted, sorted.begin() + 1);
        return sorted[1];
    }

private:
    static constexpr double none = std::numeric_limits<double>::max();

    std::array<double, wanted> windows_{none, none, none, none, none, none, none, none};
    std::size_t next_ = 0, count_ = 0;
};

}  // namespace backplane::jit::tier2
