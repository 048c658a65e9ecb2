// Properties: typed, documented, range-checked settings that the machine file gives and a member
// receives.
#pragma once

#include <backplane/abi/device.h>
#include <backplane/units.h>

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <string>
#include <type_traits>

namespace backplane {

// How a member type is written in a machine file.
template <class V>
constexpr backplane_property_kind property_kind() {
    if constexpr (std::same_as<V, bool>)
        return BACKPLANE_BOOLEAN;
    else if constexpr (std::is_enum_v<V>)
        return BACKPLANE_CHOICE;
    else if constexpr (std::same_as<V, Bytes>)
        return BACKPLANE_BYTES;
    else if constexpr (std::same_as<V, Hertz>)
        return BACKPLANE_HERTZ;
    else if constexpr (std::same_as<V, Duration>)
        return BACKPLANE_DURATION;
    else if constexpr (std::same_as<V, std::string>)
        return BACKPLANE_TEXT;
    else if constexpr (std::same_as<V, std::filesystem::path>)
        return BACKPLANE_PATH;
    else if constexpr (std::signed_integral<V>)
        return BACKPLANE_INTEGER;
    else {
        static_assert(std::unsigned_integral<V>, "not a property type");
        return BACKPLANE_UNSIGNED;
    }
}

// `text` must outlive the value.
template <class V>
backplane_value to_value(const V& member) {
    backplane_value value{};
    if constexpr (std::same_as<V, std::string> || std::same_as<V, std::filesystem::path>)
        value.text = member.c_str();
    else if constexpr (std::same_as<V, Bytes> || std::same_as<V, Hertz>)
        value.u = member.value;
    else if constexpr (std::same_as<V, Duration>)
        value.u = static_cast<std::uint64_t>(member.count());
    else if constexpr (std::signed_integral<V>)
        value.i = member;
    else
        value.u = static_cast<std::uint64_t>(member);
    return value;
}

template <class V>
void from_value(V& member, const backplane_value& value) {
    if constexpr (std::same_as<V, std::string> || std::same_as<V, std::filesystem::path>)
        member = value.text;
    else if constexpr (std::same_as<V, Bytes> || std::same_as<V, Hertz>)
        member.value = value.u;
    else if constexpr (std::same_as<V, Duration>)
        member = Duration{static_cast<std::int64_t>(value.u)};
    else if constexpr (std::signed_integral<V>)
        member = static_cast<V>(value.i);
    else
        member = static_cast<V>(value.u);
}

// Returned by Declaration::property to say more about it.
class PropertyDeclaration {
public:
    explicit PropertyDeclaration(backplane_property& property) : property_{property} {}

    // The machine file must give it; the member's initial value is not used.
    PropertyDeclaration& required() {
        property_.flags |= BACKPLANE_REQUIRED;
        return *this;
    }

    template <class V>
    PropertyDeclaration& range(V minimum, V maximum) {
        property_.minimum = to_value(minimum);
        property_.maximum = to_value(maximum);
        return *this;
    }

private:
    backplane_property& property_;
};

}  // namespace backplane
