#include "runtime/control/saved_state.h"

#include "runtime/control/hex.h"
#include "runtime/printable_text.h"
#include "runtime/type_report.h"

#include <bit>
#include <cstring>

namespace backplane::runtime::control {

namespace {

static_assert(std::endian::native == std::endian::little);

// More than that of one field is memory rather than state.
constexpr std::size_t longest_field = 4096;
// From here on bytes say more than numbers one by one.
constexpr std::uint32_t many_elements = 64;

std::uint64_t unsigned_at(const std::byte* from, std::uint32_t size) {
    std::uint64_t value = 0;
    std::memcpy(&value, from, size);
    return value;
}

std::int64_t signed_at(const std::byte* from, std::uint32_t size) {
    const unsigned unused = 64 - size * 8;
    return static_cast<std::int64_t>(unsigned_at(from, size) << unused) >> unused;
}

}  // namespace

SavedState::SavedState(const Component& component)
    : type_{component.type()}, bytes_{component.save()} {
    std::size_t offset = 0;
    for (std::uint32_t index = 0; index < type_.state_count; ++index) {
        const backplane_state_field& field = type_.state[index];
        places_.emplace(field.name, std::pair{index, offset});
        offset += std::size_t{field.element_size} * field.count;
    }
}

std::optional<std::uint64_t> SavedState::number(std::string_view name) const {
    const auto found = places_.find(name);
    if (found == places_.end()) return std::nullopt;
    const auto [index, offset] = found->second;
    const backplane_state_field& field = type_.state[index];
    if (field.count != 1 || field.element_size > 8 || field.kind == BACKPLANE_STATE_BYTES)
        return std::nullopt;
    return unsigned_at(&bytes_[offset], field.element_size);
}

ordered_json SavedState::value(const backplane_state_field& field, std::size_t offset) const {
    const std::byte* from = bytes_.data() + offset;
    const std::size_t size = std::size_t{field.element_size} * field.count;
    if (field.kind == BACKPLANE_STATE_BYTES || field.count > many_elements)
        return hex_text({from, size});
    const auto element = [&](std::uint32_t index) -> ordered_json {
        const std::byte* at = from + std::size_t{index} * field.element_size;
        if (field.kind == BACKPLANE_STATE_BOOLEAN) return *at != std::byte{};
        if (field.kind == BACKPLANE_STATE_SIGNED) return signed_at(at, field.element_size);
        return unsigned_at(at, field.element_size);
    };
    if (field.count == 1) return element(0);
    auto list = ordered_json::array();
    for (std::uint32_t index = 0; index < field.count; ++index)
        list.push_back(element(index));
    return list;
}

ordered_json SavedState::json() const {
    auto list = ordered_json::array();
    std::size_t offset = 0;
    for (std::uint32_t index = 0; index < type_.state_count; ++index) {
        const backplane_state_field& field = type_.state[index];
        const std::size_t size = std::size_t{field.element_size} * field.count;
        ordered_json entry{{"name", printable(field.name)}, {"kind", state_kind(field)}};
        if (size > longest_field)
            entry["size"] = size;
        else
            entry["value"] = value(field, offset);
        list.push_back(std::move(entry));
        offset += size;
    }
    return list;
}

}  // namespace backplane::runtime::control
