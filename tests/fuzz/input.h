// The bytes that a fuzzer gives, taken one after the other; behind the last one there are zeros.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace backplane::testing {

class Input {
public:
    explicit Input(std::span<const std::uint8_t> bytes) : rest_{bytes} {}

    bool is_empty() const { return rest_.empty(); }
    std::uint8_t take8() {
        if (rest_.empty()) return 0;
        const std::uint8_t value = rest_.front();
        rest_ = rest_.subspan(1);
        return value;
    }
    std::uint16_t take16() {
        const unsigned low = take8();
        return static_cast<std::uint16_t>(low | take8() << 8);
    }
    std::uint32_t take32() {
        const std::uint32_t low = take16();
        return low | static_cast<std::uint32_t>(take16()) << 16;
    }
    // As many as there are.
    std::span<const std::uint8_t> take(std::size_t count) {
        const auto taken = rest_.first(std::min(count, rest_.size()));
        rest_ = rest_.subspan(taken.size());
        return taken;
    }

private:
    std::span<const std::uint8_t> rest_;
};

}  // namespace backplane::testing
