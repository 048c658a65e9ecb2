#include "runtime/control/typist.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace backplane::runtime::control {

namespace {

constexpr std::chrono::milliseconds look_again{10};

}  // namespace

Typist::Typist(Context& context, Connection<backplane_input> keyboard, std::string command,
               std::deque<InputEvents> keys, Pace pace)
    : context_{context}, keyboard_{keyboard}, command_{std::move(command)}, keys_{std::move(keys)},
      pace_{pace}, total_{keys_.size()} {}

// The client may be gone while a key is held.
Typist::~Typist() {
    if (releases_.empty()) return;
    (void)context_.change(command_, [this] {
        keyboard_.call<&backplane_input::send>(releases_.data(),
                                               static_cast<std::uint32_t>(releases_.size()));
    });
}

// False: the device has no room for them now. They go together or not at all, so that the guest
// never waits with a key held, which would repeat it.
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
    return true;
}

Answer Typist::go_on(std::unique_ptr<Typist> typist) {
    Typist& self = *typist;
    const bool releasing = !self.releases_.empty();
    if (!releasing && self.keys_.empty()) return ordered_json{{"keys", self.total_}};

    // A key that is held is pressed now and released after a while; others in one go.
    InputEvents events = releasing ? self.releases_ : self.keys_.front();
    InputEvents releases;
    if (!releasing && self.pace_.hold.count() != 0) {
        const auto first = std::ranges::find(events, 0, &backplane_input_event::value);
        releases.assign(first, events.end());
        events.erase(first, events.end());
    }
    const auto sent = self.send(events);
    if (!sent) {
        self.releases_.clear();
        return std::unexpected{sent.error()};
    }
    if (!*sent) {
        if (self.waited_ >= self.pace_.patience)
            return refuse(ErrorKind::Failed,
                          fmt::format("{}: the guest does not read its keyboard; {} of {} keys "
                                      "were typed",
                                      self.command_, self.total_ - self.keys_.size(), self.total_));
        self.waited_ += look_again;
        return {look_again,
                [typist = std::move(typist)]() mutable { return go_on(std::move(typist)); }};
    }
    self.waited_ = {};
    self.releases_ = std::move(releases);
    if (!releasing) self.keys_.pop_front();
    const auto wait = self.releases_.empty() ? self.pace_.between : self.pace_.hold;
    return {wait, [typist = std::move(typist)]() mutable { return go_on(std::move(typist)); }};
}

std::deque<InputEvents> key_groups(const InputEvents& events) {
    std::deque<InputEvents> groups;
    std::size_t held = 0;
    for (const auto& event : events) {
        if (held == 0) groups.emplace_back();
        groups.back().push_back(event);
        held += event.value != 0 ? 1 : std::size_t(-1);
    }
    return groups;
}

}  // namespace backplane::runtime::control
