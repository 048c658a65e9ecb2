// Why a control command was not carried out: a kind for programs, a sentence for people.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace backplane::runtime::control {

enum class ErrorKind : std::uint8_t {
    BadRequest,
    UnknownCommand,
    BadArgument,
    NotAvailable,
    Failed,
    Ended,
};

struct Error {
    ErrorKind kind = ErrorKind::Failed;
    std::string message;
};

struct ErrorMeaning {
    ErrorKind kind;
    const char* name;
    const char* doc;
};

// In the order of ErrorKind.
inline constexpr std::array error_meanings{
    ErrorMeaning{ErrorKind::BadRequest, "bad-request",
                 "the line is too long, is not JSON, or is not a request"},
    ErrorMeaning{ErrorKind::UnknownCommand, "unknown-command", "there is no such command"},
    ErrorMeaning{ErrorKind::BadArgument, "bad-argument",
                 "an argument is missing, unknown, of the wrong kind or out of range"},
    ErrorMeaning{ErrorKind::NotAvailable, "not-available",
                 "this machine lacks what the command is about, such as a display"},
    ErrorMeaning{ErrorKind::Failed, "failed", "it could not be done now"},
    ErrorMeaning{ErrorKind::Ended, "ended", "the run is over"},
};

[[nodiscard]] constexpr const char* name_of(ErrorKind kind) {
    return error_meanings[static_cast<std::size_t>(kind)].name;
}

}  // namespace backplane::runtime::control
