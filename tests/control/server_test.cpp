// Control sockets with real clients, of whom some are rude.
#include "control/small_machine.h"
#include "runtime/control/client.h"
#include "runtime/control/request.h"
#include "runtime/control/server.h"
#include "support/temp_path.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace backplane::runtime::control {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
namespace asio = boost::asio;

struct Served {
    explicit Served(const std::string& address = "unix:" + test::temp_path("control")) {
        SmallInput::events.clear();
        SmallInput::free = 1000;
        const auto listening = server->listen(*ControlAddress::parse(address));
        EXPECT_TRUE(listening) << listening.error();
        where = *listening;
        server->start();
        small.start();
    }
    ~Served() { end(); }
    void end() {
        small.end();
        server.reset();
    }
    Client client() {
        auto made = Client::connect(where);
        if (!made) throw std::runtime_error(made.error());
        return std::move(*made);
    }

    SmallMachine small;
    std::unique_ptr<Server> server = std::make_unique<Server>(*small.machine, small.description);
    ControlAddress where;
};

// A client that says what it likes.
struct RawClient {
    explicit RawClient(const ControlAddress& where) {
        if (where.is_unix())
            socket.connect(asio::local::stream_protocol::endpoint{where.path});
        else
            socket.connect(asio::ip::tcp::endpoint{asio::ip::make_address(where.host), where.port});
        line();
    }
    void say(const std::string& text) { asio::write(socket, asio::buffer(text)); }
    // "" at the end of the connection.
    std::string line() {
        boost::system::error_code error;
        const auto size = asio::read_until(socket, asio::dynamic_buffer(received), '\n', error);
        const std::string text = received.substr(0, size);
        received.erase(0, size);
        return text;
    }

    asio::io_context context;
    asio::generic::stream_protocol::socket socket{context};
    std::string received;
};

const std::string status_line = "{\"execute\":\"status\"}\n";

TEST(ControlServer, AnswersOnAUnixSocketThatOnlyItsOwnerMayOpen) {
    Served served;
    struct stat status{};
    ASSERT_EQ(lstat(served.where.path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    auto client = served.client();
    EXPECT_EQ(client.greeting()["machine"], "small");
    EXPECT_EQ((*client.execute("status", ordered_json::object()))["return"]["state"], "running");
    served.end();
    EXPECT_FALSE(std::filesystem::exists(served.where.path)) << "the file is gone with the run";
}

TEST(ControlServer, PicksATcpPort) {
    Served served{"tcp:127.0.0.1:0"};
    EXPECT_NE(served.where.port, 0);
    auto client = served.client();
    EXPECT_TRUE((*client.execute("status", ordered_json::object())).contains("return"));
}

TEST(ControlServer, ServesSeveralClientsInTurn) {
    Served served;
    auto first = served.client(), second = served.client();
    RawClient idle{served.where}, half{served.where};
    half.say("{\"execute\":");
    EXPECT_TRUE((*first.execute("subscribe", ordered_json::object())).contains("return"));
    std::vector<std::string> changes;
    first.on_event = [&](const ordered_json& event) { changes.push_back(event["data"]["change"]); };
    EXPECT_TRUE((*second.execute("stop", ordered_json::object())).contains("return"));
    EXPECT_EQ((*first.next_event())["data"]["change"], "paused");
    half.say("\"status\"}\n");
    EXPECT_THAT(half.line(), HasSubstr("paused"));
}

TEST(ControlServer, LetsOthersGoOnWhileAClientTypes) {
    Served served;
    SmallInput::free = 0;
    RawClient typing{served.where};
    typing.say("{\"execute\":\"type\",\"arguments\":{\"text\":\"a\",\"patience\":\"50 s\"}}\n");
    auto other = served.client();
    EXPECT_TRUE((*other.execute("status", ordered_json::object())).contains("return"));
    SmallInput::free = 100;
    EXPECT_THAT(typing.line(), HasSubstr("\"keys\":1"));
}

TEST(ControlServer, SurvivesClientsThatLeaveAtAnyPoint) {
    Served served;
    const std::string conversation =
        "{\"execute\":\"subscribe\"}\n{\"execute\":\"type\",\"arguments\":{\"text\":\"hello\"}}\n"
        "{\"execute\":\"read-memory\",\"arguments\":{\"address\":0,\"length\":16000}}\n"
        "{\"execute\":\"reset\"}\n";
    for (std::size_t said = 0; said <= conversation.size(); said += 3) {
        RawClient client{served.where};
        client.say(conversation.substr(0, said));
    }
    auto last = served.client();
    EXPECT_TRUE((*last.execute("status", ordered_json::object())).contains("return"));
}

TEST(ControlServer, StopsListeningToAClientThatDoesNotRead) {
    Served served;
    RawClient rude{served.where};
    rude.socket.non_blocking(true);
    const std::string request =
        "{\"execute\":\"read-memory\",\"arguments\":{\"address\":0,\"length\":16384}}\n";
    // Far more than its replies' share of buffers.
    std::string flood;
    while (flood.size() < (16 << 20))
        flood += request;
    std::size_t sent = 0;
    for (int tries = 0; tries < 100 && sent < flood.size();) {
        boost::system::error_code error;
        sent += rude.socket.send(asio::buffer(flood.data() + sent, flood.size() - sent), 0, error);
        if (error) ++tries, std::this_thread::sleep_for(1ms);
    }
    EXPECT_LT(sent, flood.size()) << "it is not read without bounds either";
    auto other = served.client();
    EXPECT_TRUE((*other.execute("status", ordered_json::object())).contains("return"));
}

TEST(ControlServer, AnswersAClientThatOnlyClosesItsOwnSide) {
    Served served;
    RawClient client{served.where};
    client.say("{\"execute\":\"status\"}\n{\"execute\":\"list-devices\"}");
    client.socket.shutdown(asio::socket_base::shutdown_send);
    EXPECT_THAT(client.line(), HasSubstr("running"));
    EXPECT_THAT(client.line(), HasSubstr("chip0"));
    EXPECT_EQ(client.line(), "");
}

TEST(ControlServer, HangsUpOnStrangersWhoDoNotSpeakItsLanguage) {
    Served served{"tcp:127.0.0.1:0"};
    RawClient browser{served.where};
    browser.say("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n{\"execute\":\"quit\"}\n");
    EXPECT_THAT(browser.line(), HasSubstr("not JSON"));
    EXPECT_EQ(browser.line(), "");
    EXPECT_FALSE(served.small.has_ended());
}

TEST(ControlServer, RefusesClientsBeyondItsLimit) {
    Served served;
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 64; ++i)
        clients.push_back(std::make_unique<RawClient>(served.where));
    const auto refused = Client::connect(served.where);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error(), HasSubstr("64 clients"));
    clients.pop_back();
    bool admitted = false;
    for (int tries = 0; tries < 1000 && !admitted; ++tries) {
        std::this_thread::sleep_for(1ms);
        admitted = Client::connect(served.where).has_value();
    }
    EXPECT_TRUE(admitted);
}

TEST(ControlServer, TellsHowTheRunEndedAndAnswersWhatIsUnderWay) {
    Served served;
    SmallInput::free = 0;
    RawClient watching{served.where}, typing{served.where}, quitting{served.where};
    watching.say("{\"execute\":\"subscribe\"}\n");
    watching.line();
    typing.say("{\"execute\":\"type\",\"arguments\":{\"text\":\"a\",\"patience\":\"50 s\"}}\n");
    std::this_thread::sleep_for(20ms);
    quitting.say("{\"execute\":\"quit\",\"arguments\":{\"exit-code\":3}}\n");
    EXPECT_EQ(quitting.line(), "{\"return\":{}}\n");
    EXPECT_THAT(watching.line(), HasSubstr("\"exit_code\":3"));
    served.end();
    EXPECT_THAT(typing.line(), HasSubstr("the run is over"));
    for (auto* client : {&watching, &typing, &quitting})
        EXPECT_EQ(client->line(), "");
}

TEST(ControlServer, IsGoneInTimeEvenIfNobodyReads) {
    Served served;
    RawClient rude{served.where};
    for (int i = 0; i < 100; ++i)
        rude.say("{\"execute\":\"read-memory\",\"arguments\":{\"address\":0,\"length\":16384}}\n");
    std::this_thread::sleep_for(50ms);
    const auto start = std::chrono::steady_clock::now();
    served.end();
    EXPECT_LT(std::chrono::steady_clock::now() - start, 60s);
}

// ---- Addresses and files ----

std::string listen_error(const std::string& address) {
    SmallMachine small;
    Server server{*small.machine, small.description};
    const auto parsed = ControlAddress::parse(address);
    if (!parsed) return parsed.error();
    const auto listening = server.listen(*parsed);
    return listening ? "" : listening.error();
}

TEST(ControlAddress, ExplainsWhatItRefuses) {
    EXPECT_EQ(listen_error("/tmp/x"), "expected unix:PATH or tcp:127.0.0.1:PORT");
    EXPECT_THAT(listen_error("unix:"), HasSubstr("the path is missing"));
    EXPECT_THAT(listen_error("unix:/" + std::string(200, 'x')), HasSubstr("sockets can have 107"));
    EXPECT_THAT(listen_error("unix:/no/such/folder/socket"), HasSubstr("No such file"));
    EXPECT_THAT(listen_error("tcp:0.0.0.0:1"), HasSubstr("not a loopback address"));
    EXPECT_THAT(listen_error("tcp:example.com:1"), HasSubstr("not a loopback address"));
    EXPECT_THAT(listen_error("tcp:127.0.0.1:65536"), HasSubstr("is not a port"));
    EXPECT_THAT(listen_error("tcp:1234"), HasSubstr("expected unix:PATH"));
    EXPECT_EQ(ControlAddress::parse("tcp:[::1]:5")->text(), "tcp:[::1]:5");
    EXPECT_EQ(ControlAddress::parse("tcp:localhost:5")->text(), "tcp:127.0.0.1:5");
    EXPECT_EQ(ControlAddress::parse_for_client("a/b")->text(), "unix:a/b");
}

TEST(ControlSocketFile, ReplacesOnlyASocketThatNobodyListensOn) {
    const std::string path = test::temp_path("file");
    std::ofstream{path} << "precious";
    EXPECT_THAT(listen_error("unix:" + path), HasSubstr("is not a socket"));
    EXPECT_TRUE(std::filesystem::exists(path));
    std::filesystem::remove(path);

    asio::io_context context;
    {
        asio::local::stream_protocol::acceptor left{context,
                                                    asio::local::stream_protocol::endpoint{path}};
        EXPECT_THAT(listen_error("unix:" + path), HasSubstr("in use by another program"));
    }
    ASSERT_TRUE(std::filesystem::exists(path)) << "closing does not remove it";
    EXPECT_EQ(listen_error("unix:" + path), "");
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(ControlSocketFile, LeavesAnothersFileInItsPlace) {
    const std::string path = test::temp_path("stolen");
    {
        SmallMachine small;
        Server server{*small.machine, small.description};
        ASSERT_TRUE(server.listen({.path = path}));
        std::filesystem::remove(path);
        std::ofstream{path} << "another's";
    }
    EXPECT_TRUE(std::filesystem::exists(path));
    std::filesystem::remove(path);
}

TEST(ControlClient, SaysWhatIsAtTheOtherEnd) {
    const std::string path = test::temp_path("other");
    EXPECT_THAT(Client::connect({.path = path}).error(), HasSubstr("No such file"));
    asio::io_context context;
    asio::local::stream_protocol::acceptor acceptor{context,
                                                    asio::local::stream_protocol::endpoint{path}};
    std::jthread impostor{[&] {
        auto socket = acceptor.accept();
        asio::write(socket, asio::buffer(std::string_view{"220 smtp\r\n"}));
    }};
    EXPECT_THAT(Client::connect({.path = path}).error(), HasSubstr("something unknown"));
    std::filesystem::remove(path);
}

}  // namespace
}  // namespace backplane::runtime::control
