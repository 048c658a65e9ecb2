#include "runtime/control/request.h"

#include "runtime/nearest_name.h"
#include "runtime/printable_text.h"

#include <fmt/format.h>

#include <array>
#include <set>
#include <stdexcept>
#include <vector>

namespace backplane::runtime::control {

namespace {

constexpr int deepest = 16;
constexpr std::size_t longest_id = 256;

struct Refused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// JSON allows duplicate keys and any depth; a request has neither.
ordered_json parse_strictly(std::string_view line) {
    std::vector<std::set<std::string>> keys;
    return ordered_json::parse(
        line, [&](int depth, ordered_json::parse_event_t event, ordered_json& parsed) {
            using Event = ordered_json::parse_event_t;
            if (depth > deepest)
                throw Refused(fmt::format("the request is nested deeper than {} levels", deepest));
            if (event == Event::object_start) keys.emplace_back();
            if (event == Event::object_end) keys.pop_back();
            if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second)
                throw Refused(fmt::format("the key {} is there twice",
                                          in_quotes(parsed.get_ref<const std::string&>())));
            return true;
        });
}

std::expected<ordered_json, std::string> parse_json(std::string_view line) {
    try {
        return parse_strictly(line);
    } catch (const Refused& refused) {
        return std::unexpected{std::string{refused.what()}};
    } catch (const ordered_json::parse_error& error) {
        // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
        const std::string_view text = error.what();
        const auto colon = text.find(": ");
        return std::unexpected{fmt::format(
            "this is not JSON, at byte {}: {}", error.byte,
            shortened(printable(colon == text.npos ? text : text.substr(colon + 2)), 200))};
    } catch (const ordered_json::exception& error) {
        return std::unexpected{"this is not JSON: " + shortened(printable(error.what()), 200)};
    }
}

BadRequest bad_request(std::string message, ordered_json id = nullptr) {
    return {{ErrorKind::BadRequest, std::move(message)}, std::move(id)};
}

bool is_id(const ordered_json& id) {
    return id.is_null() || id.is_number_integer() ||
           (id.is_string() && id.get_ref<const std::string&>().size() <= longest_id);
}

}  // namespace

std::expected<Request, BadRequest> parse_request(std::string_view line) {
    auto parsed = parse_json(line);
    if (!parsed) return std::unexpected{bad_request(std::move(parsed.error()))};
    if (!parsed->is_object())
        return std::unexpected{bad_request(fmt::format(
            "a request is an object, not {}: {{\"execute\": \"status\"}}", parsed->type_name()))};
    Request request;
    if (const auto id = parsed->find("id"); id != parsed->end()) {
        if (!is_id(*id))
            return std::unexpected{bad_request(fmt::format(
                "id: expected a whole number, or text of at most {} bytes", longest_id))};
        request.id = std::move(*id);
    }
    const auto refuse = [&](std::string message) {
        return std::unexpected{bad_request(std::move(message), std::move(request.id))};
    };
    for (const auto& [key, value] : parsed->items()) {
        static const std::array<std::string, 3> known{"execute", "arguments", "id"};
        if (std::ranges::find(known, key) != known.end()) continue;
        const std::string hint = did_you_mean(key, known);
        return refuse(fmt::format("unknown key {}; {}", in_quotes(key),
                                  hint.empty() ? "expected execute, arguments, id" : hint));
    }
    const auto execute = parsed->find("execute");
    if (execute == parsed->end()) return refuse("the key 'execute' is missing");
    if (!execute->is_string())
        return refuse(
            fmt::format("execute: expected the name of a command, not {}", execute->type_name()));
    request.execute = execute->get<std::string>();
    if (const auto arguments = parsed->find("arguments");
        arguments != parsed->end() && !arguments->is_null()) {
        if (!arguments->is_object())
            return refuse(
                fmt::format("arguments: expected an object, not {}", arguments->type_name()));
        request.arguments = std::move(*arguments);
    }
    return request;
}

std::string reply_line(const ordered_json& id, const Result& result,
                       const ordered_json& changed_at) {
    ordered_json reply;
    if (result)
        reply["return"] = *result;
    else
        reply["error"] = {{"kind", name_of(result.error().kind)},
                          {"message", result.error().message}};
    if (!changed_at.is_null()) reply["changed_at"] = changed_at;
    if (!id.is_null()) reply["id"] = id;
    return line_of(reply);
}

std::string line_of(const ordered_json& message) {
    return message.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace backplane::runtime::control
