// What a command gives back: its result, or that it wants to be asked again in a while.
#pragma once

#include "runtime/control/error.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <expected>
#include <functional>
#include <memory>
#include <utility>

namespace backplane::runtime::control {

using nlohmann::ordered_json;

using Result = std::expected<ordered_json, Error>;

class Answer {
public:
    struct Later {
        std::chrono::milliseconds after;
        std::move_only_function<Answer()> then;
    };

    template <class T>
        requires std::is_constructible_v<Result, T>
    Answer(T&& result) : result_{std::forward<T>(result)} {}
    // The client's next command waits; other clients do not.
    Answer(std::chrono::milliseconds after, std::move_only_function<Answer()> then)
        : later_{std::make_unique<Later>(after, std::move(then))} {}

    [[nodiscard]] bool is_later() const { return later_ != nullptr; }
    [[nodiscard]] Later& later() { return *later_; }
    [[nodiscard]] Result& result() { return result_; }

private:
    Result result_;
    std::unique_ptr<Later> later_;
};

inline std::unexpected<Error> refuse(ErrorKind kind, std::string message) {
    return std::unexpected{Error{kind, std::move(message)}};
}

}  // namespace backplane::runtime::control
