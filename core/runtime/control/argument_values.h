// The arguments of one call, checked against the command's declaration.
#pragma once

#include "runtime/control/answer.h"
#include "runtime/control/command.h"
#include "runtime/machine_description.h"

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::runtime::control {

class ArgumentValues {
public:
    // `given` is a JSON object. Null, and what is not there, stand for the default.
    [[nodiscard]] static std::expected<ArgumentValues, Error> read(const Command& command,
                                                                   const ordered_json& given);

    // Asking for an argument that is not declared is a defect of the command: std::logic_error.
    [[nodiscard]] std::uint64_t number(std::string_view name) const { return at(name).u; }
    [[nodiscard]] std::int64_t signed_number(std::string_view name) const { return at(name).i; }
    [[nodiscard]] bool flag(std::string_view name) const { return at(name).u != 0; }
    [[nodiscard]] std::chrono::nanoseconds duration(std::string_view name) const {
        return std::chrono::nanoseconds{at(name).u};
    }
    [[nodiscard]] std::string text(std::string_view name) const { return at(name).text; }
    [[nodiscard]] std::string_view choice(std::string_view name) const;

private:
    explicit ArgumentValues(const Command& command) : command_{&command} {}
    [[nodiscard]] std::size_t index(std::string_view name) const;
    [[nodiscard]] const backplane_value& at(std::string_view name) const {
        return values_[index(name)];
    }

    const Command* command_;
    PropertyValues values_;
};

}  // namespace backplane::runtime::control
