// One line of a client as a request: {"execute": "read-memory", "arguments": {...}, "id": 7}.
#pragma once

#include "runtime/control/answer.h"

#include <expected>
#include <string>
#include <string_view>

namespace backplane::runtime::control {

struct Request {
    std::string execute;
    ordered_json arguments = ordered_json::object();
    ordered_json id;  // null: the client did not say one
};

struct BadRequest {
    Error error;
    ordered_json id;  // where it could be read
};

[[nodiscard]] std::expected<Request, BadRequest> parse_request(std::string_view line);

// Lines to the client, each with its end. What is not UTF-8 in them is replaced.
// `changed_at`: see Context::take_change; null for none.
[[nodiscard]] std::string reply_line(const ordered_json& id, const Result& result,
                                     const ordered_json& changed_at = nullptr);
[[nodiscard]] std::string line_of(const ordered_json& message);

}  // namespace backplane::runtime::control
