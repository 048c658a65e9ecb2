#include "host_end.h"
#include "stream_bench.h"
#include "support/temp_path.h"
#include "tcp_stream.h"
#include "unix_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace backplane::character {
namespace {

using namespace testing;
using ::testing::HasSubstr;

class UnixStreamTest : public ::testing::Test {
protected:
    UnixStreamTest() { std::filesystem::remove(path); }

    const std::string path = test::temp_path("unix_stream_socket");
    StreamBench stream = stream_bench<UnixStream>({{"path", path}});
};

TEST_F(UnixStreamTest, CarriesBytesBothWays) {
    ASSERT_TRUE(stream.power_on()) << stream.bench.failure();
    EXPECT_FALSE(stream.connected);
    const Descriptor client = connect_unix(path);
    ASSERT_TRUE(client);
    ASSERT_TRUE(stream.run_until([&] { return stream.connected; }));
    ASSERT_TRUE(write_all(client.get(), "hello guest"));
    EXPECT_TRUE(stream.run_until([&] { return stream.received == "hello guest"; }));
    stream.send("hello host");
    std::string seen;
    EXPECT_TRUE(
        stream.run_until([&] { return (seen += read_available(client.get())) == "hello host"; }));
}

TEST_F(UnixStreamTest, KeepsWhatWasSentBeforeAClientCame) {
    ASSERT_TRUE(stream.power_on());
    stream.send("boot log");
    const Descriptor client = connect_unix(path);
    std::string seen;
    EXPECT_TRUE(
        stream.run_until([&] { return (seen += read_available(client.get())) == "boot log"; }));
}

TEST_F(UnixStreamTest, ServesOneClientAfterTheOther) {
    ASSERT_TRUE(stream.power_on());
    Descriptor first = connect_unix(path);
    ASSERT_TRUE(stream.run_until([&] { return stream.connected; }));
    const Descriptor second = connect_unix(path);
    ASSERT_TRUE(write_all(second.get(), "second"));
    stream.run_briefly();
    EXPECT_EQ(stream.received, "");

    ASSERT_TRUE(write_all(first.get(), "first "));
    first.reset();
    EXPECT_TRUE(stream.run_until([&] { return stream.received == "first second"; }));
    EXPECT_TRUE(stream.connected);
}

TEST_F(UnixStreamTest, DropsTheOldestBytesOfAClientThatDoesNotRead) {
    ASSERT_TRUE(stream.power_on());
    const Descriptor client = connect_unix(path);
    ASSERT_TRUE(stream.run_until([&] { return stream.connected; }));
    const std::string text = numbered_text(2 << 20);
    for (std::size_t at = 0; at < text.size(); at += 4096) {
        EXPECT_EQ(stream.send(std::string_view{text}.substr(at, 4096)), 4096u);
        stream.bench.host().run_posted();
    }
    const std::uint64_t dropped = stream.bench.statistic("bytes.dropped");
    EXPECT_GT(dropped, 0u);

    std::string seen;
    EXPECT_TRUE(stream.run_until([&] {
        return (seen += read_available(client.get())).size() == text.size() - dropped;
    })) << seen.size();
    EXPECT_TRUE(text.ends_with(seen.substr(seen.size() - Outgoing::capacity)));
}

TEST_F(UnixStreamTest, SurvivesAClientThatGoesAwayWhileItIsWrittenTo) {
    ASSERT_TRUE(stream.power_on());
    for (int i = 0; i < 20; ++i) {
        Descriptor client = connect_unix(path);
        ASSERT_TRUE(stream.run_until([&] { return stream.connected; }));
        stream.send(std::string(50'000, 'x'));
        client.reset();
        ASSERT_TRUE(stream.run_until([&] { return !stream.connected; }));
    }
}

TEST_F(UnixStreamTest, RemovesItsSocketAndReplacesOneLeftBehind) {
    {
        auto other = stream_bench<UnixStream>({{"path", path}});
        ASSERT_TRUE(other.power_on());
        EXPECT_FALSE(stream.power_on());
        EXPECT_EQ(stream.bench.failure(), "somebody listens on \"" + path + "\" already");
    }
    EXPECT_FALSE(std::filesystem::exists(path));

    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    Descriptor dead{socket(AF_UNIX, SOCK_STREAM, 0)};
    ASSERT_EQ(bind(dead.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    dead.reset();
    EXPECT_TRUE(stream.power_on()) << stream.bench.failure();
}

TEST_F(UnixStreamTest, LeavesAFileOfThatNameAlone) {
    std::ofstream{path} << "precious";
    EXPECT_FALSE(stream.power_on());
    EXPECT_EQ(stream.bench.failure(),
              "cannot make the socket \"" + path + "\": Address already in use");
    EXPECT_EQ(file_content(path), "precious");
}

TEST_F(UnixStreamTest, RefusesAPathThatNoSocketCanHave) {
    auto deep = stream_bench<UnixStream>({{"path", "/tmp/" + std::string(200, 'x')}});
    EXPECT_FALSE(deep.power_on());
    EXPECT_THAT(deep.bench.failure(), HasSubstr("is too long for a socket: at most 107 bytes"));
}

TEST_F(UnixStreamTest, WaitsForItsFirstClientWhenTold) {
    auto waiting = stream_bench<UnixStream>({{"path", path}, {"wait", true}});
    Descriptor client;
    std::thread other{[&] {
        while (!client)
            client = connect_unix(path);
    }};
    EXPECT_TRUE(waiting.power_on());
    other.join();
    EXPECT_TRUE(waiting.connected);
}

// "listening on 127.0.0.1:PORT"
int logged_port(StreamBench& stream) {
    for (const auto& line : stream.bench.host().log_lines) {
        const std::size_t at = line.text.find("127.0.0.1:");
        if (at != std::string::npos) return std::stoi(line.text.substr(at + 10));
    }
    return 0;
}

TEST(TcpStream, ListensOnAFreePortAndSaysWhich) {
    auto stream = stream_bench<TcpStream>();
    ASSERT_TRUE(stream.power_on()) << stream.bench.failure();
    const Descriptor client = connect_tcp(logged_port(stream));
    ASSERT_TRUE(client);
    stream.send("login: ");
    ASSERT_TRUE(write_all(client.get(), "root\n"));
    std::string seen;
    EXPECT_TRUE(stream.run_until([&] {
        seen += read_available(client.get());
        return seen == "login: " && stream.received == "root\n";
    }));
}

TEST(TcpStream, StopsReadingWhenTheDeviceHasNoRoom) {
    auto stream = stream_bench<TcpStream>();
    stream.room = 0;
    ASSERT_TRUE(stream.power_on());
    const Descriptor client = connect_tcp(logged_port(stream));
    const std::string text = numbered_text(2 << 20);
    std::thread writer{[&] { write_all(client.get(), text); }};
    stream.run_briefly();
    EXPECT_LT(stream.bench.statistic("bytes.received"), Incoming::capacity + 8192);
    EXPECT_TRUE(stream.run_until([&] {
        stream.make_room(1 << 20);
        return stream.received.size() == text.size();
    }));
    writer.join();
    EXPECT_TRUE(stream.received == text);
}

TEST(TcpStream, SaysThatAPortIsInUse) {
    auto first = stream_bench<TcpStream>();
    ASSERT_TRUE(first.power_on());
    auto second = stream_bench<TcpStream>({{"port", logged_port(first)}});
    EXPECT_FALSE(second.power_on());
    EXPECT_THAT(second.bench.failure(), HasSubstr("of 127.0.0.1: Address already in use"));
}

}  // namespace
}  // namespace backplane::character
