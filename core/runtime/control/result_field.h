// The shape of a reply, declared: from it come query-schema, the reference, and the check that
// tests hold every reply against.
#pragma once

#include <cstdint>
#include <span>

namespace backplane::runtime::control {

enum class ResultKind : std::uint8_t {
    Boolean,
    Count,   // a whole number from 0
    Real,    // a number
    Text,    //
    Hex,     // "0x" and hexadecimal digits: what may exceed the 53 bits that JSON readers keep
    Bytes,   // hexadecimal digits, two for each byte
    Base64,  //
    Object,  // of `fields`
    List,    // of objects of `fields`
    Map,     // from names to objects of `fields`
    HexMap,  // from names to Hex
    Any,     // what `doc` says
};

enum class Presence : bool { Always, Sometimes };

struct ResultField {
    const char* name;
    ResultKind kind;
    const char* doc;
    Presence presence = Presence::Always;
    std::span<const ResultField> fields = {};
};

[[nodiscard]] constexpr const char* name_of(ResultKind kind) {
    constexpr const char* names[] = {"boolean", "count",  "real", "text", "hex",     "bytes",
                                     "base64",  "object", "list", "map",  "hex-map", "any"};
    return names[static_cast<std::size_t>(kind)];
}

}  // namespace backplane::runtime::control
