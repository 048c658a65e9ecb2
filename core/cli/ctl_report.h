// Replies of a control socket for people.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace backplane::cli {

// What `command` returned. Ends in a newline unless there is nothing to say.
[[nodiscard]] std::string ctl_report(const std::string& command,
                                     const nlohmann::ordered_json& returned);
[[nodiscard]] std::string event_line(const nlohmann::ordered_json& event);

}  // namespace backplane::cli
