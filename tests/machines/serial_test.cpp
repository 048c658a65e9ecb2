// The ends that the serial console can have on the host.
#include "guests.h"
#include "support/guest_session.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

namespace backplane::test {
namespace {

using namespace std::chrono_literals;

constexpr int echo_ended = (7 << 1) | 1;

std::string content(const std::string& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

// Reads until `text` has come.
bool comes(int fd, std::string_view text) {
    std::string seen;
    char byte = 0;
    while (seen.find(text) == std::string::npos && read(fd, &byte, 1) == 1)
        seen += byte;
    return seen.find(text) != std::string::npos;
}

void converse(GuestSession& session, int fd) {
    ASSERT_GE(fd, 0);
    ASSERT_EQ(write(fd, "hello", 5), 5);
    EXPECT_TRUE(comes(fd, "hello"));
    ASSERT_EQ(write(fd, "q", 1), 1);
    EXPECT_EQ(session.exit_code(), echo_ended) << session.unread();
    close(fd);
}

void end_by_signal(GuestSession& session) {
    session.send_signal(SIGTERM);
    EXPECT_EQ(session.exit_code(), 128 + SIGTERM);
}

TEST(SerialConsole, WritesToAFile) {
    const std::string file = temp_path("out");
    GuestSession session{"linux-serial", flat_guest(echo_serial, {"--serial", "file:" + file}),
                         Input::Null};
    while (content(file) != "R" && !session.exit_code(0s))
        std::this_thread::sleep_for(20ms);
    end_by_signal(session);
    EXPECT_EQ(content(file), "R");
}

TEST(SerialConsole, CanBeNobody) {
    GuestSession session{"linux-serial",
                         flat_guest(echo_serial, {"--serial", "none", "--timeout", "1"})};
    EXPECT_EQ(session.exit_code(), 5);
    EXPECT_EQ(session.unread(), "backplane: the time limit passed\r\n");
}

TEST(SerialConsole, ServesAClientOnAUnixSocketAndRemovesItAfterwards) {
    const std::string path = temp_path("socket");
    GuestSession session{"linux-serial", flat_guest(echo_serial, {"--serial", "unix:" + path}),
                         Input::Null};
    ASSERT_TRUE(session.expect("listening on")) << session.unread();
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    converse(session, client);
    EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(SerialConsole, ServesAClientOnATcpPortOfThisHost) {
    GuestSession session{"linux-serial", flat_guest(echo_serial, {"--serial", "tcp:0"}),
                         Input::Null};
    ASSERT_TRUE(session.expect("listening on 127.0.0.1:")) << session.unread();
    ASSERT_TRUE(session.expect("\n"));
    const sockaddr_in address{
        .sin_family = AF_INET,
        .sin_port = htons(static_cast<std::uint16_t>(std::stoi(session.before))),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
        .sin_zero = {}};
    const int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    converse(session, client);
}

TEST(SerialConsole, OpensAPseudoTerminalAndSaysWhich) {
    GuestSession session{"linux-serial", flat_guest(echo_serial, {"--serial", "pty"}), Input::Null};
    ASSERT_TRUE(session.expect("connected to ")) << session.unread();
    ASSERT_TRUE(session.expect("\n"));
    const int terminal = open(session.before.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    converse(session, terminal);
}

TEST(SerialConsole, LosesNothingOfALongInputThatWasThereBeforeTheGuest) {
    GuestSession session{"linux-serial", flat_guest(echo_serial), Input::Pipe};
    std::string text;
    for (int line = 0; text.size() < 200'000; ++line)
        text += "line " + std::to_string(line) + " of what was typed ahead\n";
    ASSERT_TRUE(session.type(text));
    session.type("!q");
    EXPECT_TRUE(session.expect("!"));
    EXPECT_EQ(session.before, "R" + text);
    EXPECT_EQ(session.exit_code(), echo_ended);
}

TEST(SerialConsole, KeepsTheOutputOfAGuestWhoseInputEndsOrIsClosed) {
    GuestSession ended{"linux-serial", flat_guest(echo_serial), Input::Pipe};
    ended.type("bye");
    ended.end_input();
    EXPECT_TRUE(ended.expect("Rbye")) << ended.unread();
    EXPECT_FALSE(ended.exit_code(1s)) << "it goes on";
    end_by_signal(ended);

    GuestSession closed{"linux-serial", flat_guest(echo_serial), Input::Closed};
    EXPECT_TRUE(closed.expect("R")) << closed.unread();
    EXPECT_FALSE(closed.exit_code(1s));
    end_by_signal(closed);
}

}  // namespace
}  // namespace backplane::test
