// The saved state of a device taken apart by its declaration.
#pragma once

#include "runtime/component.h"
#include "runtime/control/answer.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::runtime::control {

class SavedState {
public:
    // At rest.
    explicit SavedState(const Component& component);

    // The value of a field that is one number, or a boolean.
    [[nodiscard]] std::optional<std::uint64_t> number(std::string_view field) const;
    // All fields as a list of {name, kind, value}. A long one has its size instead of a value.
    [[nodiscard]] ordered_json json() const;

private:
    [[nodiscard]] ordered_json value(const backplane_state_field& field, std::size_t offset) const;

    const backplane_device_type& type_;
    std::vector<std::byte> bytes_;
    std::map<std::string_view, std::pair<std::uint32_t, std::size_t>> places_;  // field, offset
};

}  // namespace backplane::runtime::control
