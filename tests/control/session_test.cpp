// What a client is answered, whatever it sends.
#include "control/talk.h"
#include "runtime/control/line_reader.h"

#include <gmock/gmock.h>

#include <algorithm>

namespace backplane::runtime::control {
namespace {

using ::testing::HasSubstr;

class Sessions : public ::testing::Test {
protected:
    // The one error in answer to a line.
    std::string error(const std::string& line) {
        const auto lines = talk.say(line + "\n");
        if (lines.size() != 1 || !lines[0].contains("error")) return "no single error";
        EXPECT_EQ(lines[0]["error"]["kind"], "bad-request");
        return lines[0]["error"]["message"];
    }

    Talk talk;
};

TEST_F(Sessions, GreetsWithWhoIsThere) {
    talk.session.greet();
    const auto greeting = talk.say("").at(0)["greeting"];
    EXPECT_EQ(greeting["protocol"], "backplane.control/1");
    EXPECT_EQ(greeting["machine"], "small");
    EXPECT_EQ(greeting["state"], "running");
}

TEST_F(Sessions, RepeatsTheIdOfARequest) {
    EXPECT_EQ(talk.say("{\"execute\":\"status\",\"id\":17}\n").at(0)["id"], 17);
    EXPECT_EQ(talk.say("{\"execute\":\"status\",\"id\":\"x\"}\n").at(0)["id"], "x");
    EXPECT_FALSE(talk.say("{\"execute\":\"status\"}\n").at(0).contains("id"));
    EXPECT_EQ(talk.say("{\"execute\":\"nonsense\",\"id\":9}\n").at(0)["id"], 9);
    EXPECT_EQ(talk.say("{\"id\":10}\n").at(0)["id"], 10);
}

TEST_F(Sessions, ReadsLinesHoweverTheyAreCut) {
    const std::string request = "{\"execute\": \"status\", \"id\": 1}\r\n";
    for (const char c : request.substr(0, request.size() - 1))
        EXPECT_TRUE(talk.say(std::string{c}).empty());
    EXPECT_EQ(talk.say("\n").size(), 1u);
    EXPECT_EQ(talk.say(request + request + request).size(), 3u);
    EXPECT_TRUE(talk.say("\n  \n\r\n").empty()) << "empty lines are nothing";
}

TEST_F(Sessions, TakesALastLineWithoutAnEnd) {
    EXPECT_TRUE(talk.say("{\"execute\":\"status\"}").empty());
    talk.session.end_of_input();
    EXPECT_TRUE(talk.say("").at(0).contains("return"));
}

TEST_F(Sessions, SaysWhatIsWrongWithALine) {
    EXPECT_THAT(error("hello"), HasSubstr("not JSON, at byte 1"));
    EXPECT_THAT(error("{\"execute\": \"sta"), HasSubstr("not JSON, at byte"));
    EXPECT_THAT(error("{\"execute\": \"\xff\"}"), HasSubstr("not JSON"));
    EXPECT_THAT(error("[1]"), HasSubstr("a request is an object, not array"));
    EXPECT_THAT(error("{}"), HasSubstr("the key 'execute' is missing"));
    EXPECT_THAT(error("{\"execute\": 5}"), HasSubstr("expected the name of a command, not number"));
    EXPECT_THAT(error("{\"excute\": \"status\"}"), HasSubstr("did you mean 'execute'?"));
    EXPECT_THAT(error("{\"execute\": \"status\", \"execute\": \"stop\"}"),
                HasSubstr("'execute' is there twice"));
    EXPECT_THAT(error("{\"execute\": \"status\", \"arguments\": 1}"),
                HasSubstr("expected an object, not number"));
    EXPECT_THAT(error("{\"execute\": \"status\", \"id\": {}}"), HasSubstr("id: expected"));
    EXPECT_THAT(error(std::string(100'000, '[')), HasSubstr("nested deeper"));
    EXPECT_THAT(error("{\"execute\": \"status\"} {}"), HasSubstr("not JSON"));
}

TEST_F(Sessions, RefusesALineThatIsTooLongAndGoesOnBehindIt) {
    const std::string piece(1 << 16, 'x');
    for (std::size_t said = 0; said < 3 * longest_line; said += piece.size()) {
        EXPECT_TRUE(talk.say(piece).empty());
        EXPECT_LE(talk.session.held(), longest_line + piece.size());
    }
    const auto lines = talk.say("\n{\"execute\":\"status\",\"id\":1}\n");
    ASSERT_EQ(lines.size(), 2u);
    EXPECT_THAT(lines[0]["error"]["message"], HasSubstr("longer than"));
    EXPECT_TRUE(lines[1].contains("return"));
    EXPECT_TRUE(talk.say(std::string(longest_line + 1, 'y') + "\n").at(0).contains("error"));
}

TEST_F(Sessions, NamesTheNearestCommandAndArgument) {
    EXPECT_EQ(talk.refusal("statsu"),
              "unknown-command: unknown command 'statsu'; did you mean 'status'?");
    EXPECT_EQ(talk.refusal("read-memory", {{"adress", 1}}),
              "bad-argument: read-memory: 'adress' is not an argument; did you mean 'address'?");
    EXPECT_EQ(talk.refusal("stop", {{"now", true}}),
              "bad-argument: stop: 'now' is not an argument; it takes none");
}

TEST_F(Sessions, TakesArgumentsAsMachineFilesTakeValues) {
    const auto data = [&](const ordered_json& address) {
        return talk.ask("read-memory", {{"address", address}, {"length", 1}})["address"];
    };
    EXPECT_EQ(data(0x100), "0x100");
    EXPECT_EQ(data("0x100"), "0x100");
    EXPECT_EQ(data("1_000"), "0x3e8");
    const auto refusal = [&](const ordered_json& arguments) {
        return talk.refusal("read-memory", arguments);
    };
    EXPECT_THAT(refusal(ordered_json::object()), HasSubstr("the argument 'address' is missing"));
    EXPECT_THAT(refusal({{"address", nullptr}}), HasSubstr("the argument 'address' is missing"));
    EXPECT_THAT(refusal({{"address", 1.5}}), HasSubstr("address cannot be number"));
    EXPECT_THAT(refusal({{"address", -1}}), HasSubstr("is negative"));
    EXPECT_THAT(refusal({{"address", "0xg"}}), HasSubstr("is not a whole number"));
    EXPECT_THAT(refusal({{"address", {1}}}), HasSubstr("address cannot be array"));
    EXPECT_THAT(refusal({{"address", 0}, {"length", 0}}),
                HasSubstr("length: '0' is out of range; expected 1 to 1048576"));
    EXPECT_THAT(refusal({{"address", 0}, {"view", "virtual"}}),
                HasSubstr("expected one of physical, linear"));
    EXPECT_THAT(talk.refusal("type", {{"text", "a"}, {"between", "5"}}), HasSubstr("has no unit"));
    EXPECT_THAT(talk.refusal("type", {{"text", 5}}), HasSubstr("text cannot be number"));
    EXPECT_THAT(talk.refusal("inspect-device", {{"device", std::string{"a\0b", 3}}}),
                HasSubstr("NUL"));
}

TEST_F(Sessions, SaysThatTheRunIsOver) {
    talk.small.end();
    EXPECT_EQ(talk.refusal("status"), "ended: the run is over");
    EXPECT_EQ(talk.refusal("read-memory", {{"address", 0}}), "ended: the run is over");
    EXPECT_EQ(talk.ask("stop")["state"], "ended");
}

TEST_F(Sessions, TellsRunStateChangesToThoseWhoSubscribed) {
    const auto stopped = [&] {
        talk.ask("stop");
        // It is told by the machine's controller, a moment after the reply perhaps.
        talk.small.machine->control().call([] {});
        std::vector<ordered_json> changes;
        {
            const std::scoped_lock guard{talk.mutex};
            changes = std::exchange(talk.changes, {});
        }
        for (const auto& change : changes)
            talk.session.run_state_changed(change);
        return talk.say("");
    };
    EXPECT_TRUE(stopped().empty());
    talk.ask("cont");
    talk.ask("subscribe");
    const auto events = stopped();
    ASSERT_EQ(events.size(), 2u) << "resumed before, then paused";
    for (const auto& event : events) {
        EXPECT_EQ(event["event"], "run-state");
        EXPECT_EQ(complaint(event["data"], RunState::event_fields), "");
    }
    EXPECT_EQ(events[1]["data"]["change"], "paused");
    EXPECT_EQ(events[1]["data"]["state"], "paused");
    EXPECT_TRUE(talk.ask("unsubscribe")["was_subscribed"]);
    EXPECT_FALSE(talk.ask("unsubscribe")["was_subscribed"]);
}

TEST_F(Sessions, TellsEventsOfTheHubAndHowManyWereLost) {
    const std::string topic = "test.written/1";
    const auto found = [&] {
        const auto topics = talk.ask("list-topics")["topics"];
        const auto place = std::ranges::find(topics, topic, [](const auto& each) {
            return each["topic"].template get<std::string>();
        });
        return place == topics.end() ? ordered_json{} : *place;
    };
    EXPECT_EQ(found()["payload_size"], 4);
    EXPECT_THAT(talk.refusal("subscribe", {{"topic", "test.writen/1"}}),
                HasSubstr("did you mean 'test.written/1'?"));
    talk.ask("subscribe", {{"topic", topic}});
    EXPECT_TRUE(found()["subscribed"]);
    talk.ask("write-bus", {{"space", "io"}, {"address", 0x40}, {"value", 0x85}});
    talk.session.send_events(10);
    const auto events = talk.say("");
    ASSERT_EQ(events.size(), 1u);
    EXPECT_EQ(events[0]["event"], topic);
    EXPECT_EQ(events[0]["data"], ordered_json({{"payload", "05000000"}}));

    auto& chip_space = talk.small.machine->ports();
    for (int i = 0; i < 1500; ++i)
        chip_space.write(0x40, 1, 1);
    talk.session.send_events(10);
    const auto some = talk.say("");
    ASSERT_EQ(some.size(), 10u);
    EXPECT_EQ(some[0]["data"]["lost"], 1500 - 1024);
    EXPECT_FALSE(some[1]["data"].contains("lost"));
    talk.session.send_events(5000);
    EXPECT_EQ(talk.say("").size(), 1014u);
    EXPECT_TRUE(talk.ask("unsubscribe", {{"topic", topic}})["was_subscribed"]);
    chip_space.write(0x40, 1, 1);
    talk.session.send_events(10);
    EXPECT_TRUE(talk.say("").empty());
}

}  // namespace
}  // namespace backplane::runtime::control
