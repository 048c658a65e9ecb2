// Numbers in a recording's bytes.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace backplane::profile {

static_assert(std::endian::native == std::endian::little);

template <std::integral T>
void put(std::string& bytes, T value) {
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

// What is missing reads as 0 and is remembered.
class ByteReader {
public:
    explicit ByteReader(std::string_view bytes) : rest_{bytes} {}

    template <std::integral T>
    T get() {
        T value = 0;
        const std::string_view part = bytes(sizeof value);
        if (part.size() == sizeof value) std::memcpy(&value, part.data(), part.size());
        return value;
    }

    std::string_view bytes(std::size_t count) {
        if (count > rest_.size()) {
            is_short_ = true;
            rest_ = {};
            return {};
        }
        const std::string_view part = rest_.substr(0, count);
        rest_.remove_prefix(count);
        return part;
    }

    bool is_empty() const { return rest_.empty(); }
    std::size_t left() const { return rest_.size(); }
    bool is_short() const { return is_short_; }

private:
    std::string_view rest_;
    bool is_short_ = false;
};

}  // namespace backplane::profile
