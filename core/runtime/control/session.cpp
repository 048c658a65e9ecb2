#include "runtime/control/session.h"

#include "runtime/control/argument_values.h"
#include "runtime/control/command.h"
#include "runtime/nearest_name.h"
#include "runtime/printable_text.h"

#include <fmt/format.h>

#include <exception>
#include <utility>

namespace backplane::runtime::control {

namespace {

Error unknown_command(const std::string& name) {
    const std::string hint = did_you_mean(name, command_names());
    return {ErrorKind::UnknownCommand,
            fmt::format("unknown command {}; {}", in_quotes(name),
                        hint.empty() ? "query-schema lists them" : hint)};
}

// Whatever a command forgot to foresee is its client's error message, not the machine's end.
Answer guarded(std::move_only_function<Answer()>& run) {
    try {
        return run();
    } catch (const std::exception& error) {
        return refuse(ErrorKind::Failed, fmt::format("internal error: {}", error.what()));
    }
}

}  // namespace

Session::Session(Context& context, Send send)
    : context_{context}, send_{std::move(send)}, subscriptions_{context.machine().events()} {}

void Session::greet() {
    send_(line_of({{"greeting",
                    {{"program", "backplane"},
                     {"version", BACKPLANE_VERSION},
                     {"protocol", "backplane.control/1"},
                     {"machine", context_.machine().name()},
                     {"state", context_.run_state().name()}}}}));
}

void Session::end_of_input() {
    if (reader_.held() != 0) reader_.feed("\n");
}

Session::Step Session::step() {
    if (under_way_) {
        auto then = std::move(std::exchange(under_way_, std::nullopt)->then);
        return reply(id_, guarded(then));
    }
    const auto line = reader_.next();
    if (!line) return Step::Idle;
    if (line->is_too_long)
        return reply(nullptr,
                     refuse(ErrorKind::BadRequest,
                            fmt::format("the line is longer than {} bytes", longest_line)));
    // An empty line is how people see whether somebody is there.
    if (line->text.find_first_not_of(" \t") == std::string::npos) return Step::Done;
    auto request = parse_request(line->text);
    if (!request)
        return reply(request.error().id, std::unexpected{std::move(request.error().error)});
    understood_ = true;
    std::move_only_function<Answer()> run = [&] { return execute(*request); };
    return reply(request->id, guarded(run));
}

Answer Session::execute(const Request& request) {
    command_ = find_command(request.execute);
    if (command_ == nullptr) return std::unexpected{unknown_command(request.execute)};
    const auto arguments = ArgumentValues::read(*command_, request.arguments);
    if (!arguments) return std::unexpected{arguments.error()};
    return command_->run({context_, subscriptions_, *arguments});
}

Session::Step Session::reply(const ordered_json& id, Answer answer) {
    if (const auto change = context_.take_change()) changed_at_ = Context::to_json(*change);
    if (answer.is_later()) {
        pause_ = answer.later().after;
        id_ = id;
        under_way_ = std::move(answer.later());
        return Step::Wait;
    }
    send_(reply_line(id, answer.result(), changed_at_));
    changed_at_ = nullptr;
    return Step::Done;
}

void Session::run_state_changed(const ordered_json& event) {
    if (subscriptions_.wants_run_state()) send_event(run_state_topic, event);
}

void Session::send_events(std::size_t limit) {
    subscriptions_.take(limit, [this](const std::string& topic, ordered_json data) {
        send_event(topic, std::move(data));
    });
}

void Session::send_event(const std::string& topic, ordered_json data) {
    send_(line_of({{"event", topic}, {"data", std::move(data)}}));
}

}  // namespace backplane::runtime::control
