// A client's conversation with a small machine, without sockets.
#pragma once

#include "control/reply_check.h"
#include "control/small_machine.h"
#include "runtime/control/session.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace backplane::runtime::control {

struct Talk {
    explicit Talk(ClockMode clock = ClockMode::Realtime, RunOptions options = {}) : small{clock} {
        SmallInput::events.clear();
        SmallInput::free = 1000;
        SmallButton::presses = 0;
        SmallScreen::shows_text = true;
        small.start(options);
    }

    // The lines sent back by the time that all of `text` is dealt with.
    std::vector<ordered_json> say(const std::string& text) {
        session.receive(text);
        for (;;) {
            const Session::Step step = session.step();
            if (step == Session::Step::Idle) break;
            if (step == Session::Step::Wait) std::this_thread::sleep_for(session.pause());
        }
        std::vector<ordered_json> lines;
        for (const std::string& line : std::exchange(sent, {}))
            lines.push_back(ordered_json::parse(line));
        return lines;
    }

    // The whole reply.
    ordered_json reply(const std::string& command,
                       const ordered_json& arguments = ordered_json::object()) {
        for (auto& line : say(line_of({{"execute", command}, {"arguments", arguments}, {"id", 5}})))
            if (line.contains("id")) return line;
        return nullptr;
    }

    // What the command returned, which is as it declares.
    ordered_json ask(const std::string& command,
                     const ordered_json& arguments = ordered_json::object()) {
        const ordered_json told = reply(command, arguments);
        if (!told.contains("return")) {
            ADD_FAILURE() << command << ": " << told.dump();
            return nullptr;
        }
        EXPECT_EQ(complaint(told["return"], find_command(command)->returns), "") << command;
        return told["return"];
    }

    // "kind: message" of a command that is refused.
    std::string refusal(const std::string& command,
                        const ordered_json& arguments = ordered_json::object()) {
        const ordered_json told = reply(command, arguments);
        if (!told.contains("error")) return "not refused: " + told.dump();
        return told["error"]["kind"].get<std::string>() + ": " +
               told["error"]["message"].get<std::string>();
    }

    SmallMachine small;
    Context context{*small.machine, small.description, [this](const ordered_json& event) {
                        const std::scoped_lock guard{mutex};
                        changes.push_back(event);
                    }};
    std::vector<std::string> sent;
    Session session{context, [this](std::string line) { sent.push_back(std::move(line)); }};
    std::mutex mutex;
    std::vector<ordered_json> changes;  // by mutex

    ~Talk() { small.end(); }
};

}  // namespace backplane::runtime::control
