#include "runtime/control/typist.h"

#include <fmt/format.h>

#include <algorithm>
#include <ranges>
#include <utility>

namespace backplane::runtime::control {

namespace {

constexpr std::chrono::milliseconds look_again{10};

bool is_press(const backplane_input_event& event) { return event.value != 0; }

}  // namespace

Typist::Typist(Context& context, Connection<backplane_input> keyboard, std::string command,
               std::span<const InputEvents> keys, Pace pace)
    : context_{context}, keyboard_{keyboard}, command_{std::move(command)}, pace_{pace},
      total_{keys.size()} {
    for (const InputEvents& key : keys)
        add_steps(key);
}

// A guest that is slow to read must not find a key held that it would repeat. So unless keys are
// meant to be held, the last one goes down and up in one step; those before it are modifiers.
void Typist::add_steps(const InputEvents& key) {
    for (std::size_t at = 0; at < key.size(); ++at) {
        const bool is_last_press = is_press(key[at]) && at + 1 < key.size() &&
                                   !is_press(key[at + 1]);
        steps_.push_back({.events = {key[at]}});
        if (!is_last_press) continue;
        if (pace_.hold.count() != 0)
            steps_.back().after = pace_.hold;
        else
            steps_.back().events.push_back(key[++at]);
    }
    steps_.back().after = pace_.between;
    steps_.back().ends_key = true;
}

// The client may be gone, or the guest not listen, while keys are held.
Typist::~Typist() {
    if (held_.empty()) return;
    InputEvents releases;
    for (const std::uint16_t code : held_ | std::views::reverse)
        releases.push_back({BACKPLANE_INPUT_KEY, code, 0});
    (void)context_.change(command_, [&] {
        keyboard_.call<&backplane_input::send>(releases.data(),
                                               static_cast<std::uint32_t>(releases.size()));
    });
}

// False: the device has no room for them now.
std::expected<bool, Error> Typist::send(const InputEvents& events) {
    bool has_room = false;
    if (auto done = context_.at_rest(
            [&] { has_room = keyboard_.call<&backplane_input::room>() >= events.size(); });
        !done)
        return std::unexpected{done.error()};
    if (!has_room) return false;
    auto sent = context_.change(command_, [&] {
        keyboard_.call<&backplane_input::send>(events.data(),
                                               static_cast<std::uint32_t>(events.size()));
    });
    if (!sent) return std::unexpected{sent.error()};
    for (const auto& event : events) {
        if (is_press(event))
            held_.push_back(event.code);
        else
            std::erase(held_, event.code);
    }
    return true;
}

Answer Typist::go_on(std::unique_ptr<Typist> typist) {
    Typist& self = *typist;
    if (self.steps_.empty()) return ordered_json{{"keys", self.total_}};
    const auto sent = self.send(self.steps_.front().events);
    if (!sent) return std::unexpected{sent.error()};
    auto wait = look_again;
    if (*sent) {
        wait = self.steps_.front().after;
        self.typed_ += self.steps_.front().ends_key ? 1 : 0;
        self.steps_.pop_front();
        self.waited_ = {};
    } else if (self.waited_ >= self.pace_.patience) {
        return refuse(ErrorKind::Failed,
                      fmt::format("{}: the guest does not read its keyboard; {} of {} keys were "
                                  "typed",
                                  self.command_, self.typed_, self.total_));
    } else {
        self.waited_ += look_again;
    }
    return {wait, [typist = std::move(typist)]() mutable { return go_on(std::move(typist)); }};
}

std::vector<InputEvents> key_groups(const InputEvents& events) {
    std::vector<InputEvents> groups;
    std::size_t held = 0;
    for (const auto& event : events) {
        if (held == 0) groups.emplace_back();
        groups.back().push_back(event);
        held += is_press(event) ? 1 : std::size_t(-1);
    }
    return groups;
}

}  // namespace backplane::runtime::control
