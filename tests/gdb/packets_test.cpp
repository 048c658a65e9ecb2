#include "runtime/gdb/packets.h"

#include <gtest/gtest.h>

#include <string>

namespace backplane::runtime::gdb {
namespace {

using Kind = Received::Kind;

TEST(GdbPackets, HaveAChecksum) {
    EXPECT_EQ(framed(""), "$#00");
    EXPECT_EQ(framed("OK"), "$OK#9a");
    EXPECT_EQ(framed("qSupported"), "$qSupported#37");
}

TEST(GdbPackets, EscapeWhatWouldEndThem) {
    EXPECT_EQ(framed("a#b"), "$a}\x03"
                             "b#43");
    PacketReader reader;
    const std::string payload = "#$}*\x01 \xff";
    reader.feed(framed(payload));
    const auto received = reader.next();
    ASSERT_TRUE(received);
    EXPECT_EQ(received->payload, payload);
}

TEST(GdbPackets, ArriveInPiecesAndInARow) {
    const std::string stream = framed("g") + "+" + framed("m1000,4") + "\x03-";
    for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
        PacketReader reader;
        std::string seen;
        for (std::size_t at = 0; at < stream.size(); at += piece) {
            reader.feed(stream.substr(at, piece));
            while (const auto received = reader.next()) {
                switch (received->kind) {
                case Kind::Packet: seen += '<' + received->payload + '>'; break;
                case Kind::Acknowledged: seen += '+'; break;
                case Kind::Refused: seen += '-'; break;
                case Kind::Interrupt: seen += '!'; break;
                case Kind::Damaged: seen += '?'; break;
                }
            }
        }
        EXPECT_EQ(seen, "<g>+<m1000,4>!-") << piece;
    }
}

TEST(GdbPackets, ThatAreDamagedAreTold) {
    for (const char* damaged : {"$OK#9b", "$OK#zz", "$OL#9a"}) {
        PacketReader reader;
        reader.feed(damaged);
        const auto received = reader.next();
        ASSERT_TRUE(received) << damaged;
        EXPECT_EQ(received->kind, Kind::Damaged) << damaged;
        reader.feed(framed("OK"));
        EXPECT_EQ(reader.next()->payload, "OK") << "and the next one arrives";
    }
}

TEST(GdbPackets, WhoseEndWasLostGiveWayToTheNext) {
    PacketReader reader;
    reader.feed("$m1000" + framed("g"));
    EXPECT_EQ(reader.next()->payload, "g");
}

TEST(GdbPackets, ThatNeverEndAreForgotten) {
    PacketReader reader;
    reader.feed("$" + std::string(3 * longest_packet, 'x'));
    EXPECT_EQ(reader.next()->kind, Kind::Damaged);
    EXPECT_FALSE(reader.next());
    reader.feed("noise" + framed("g"));
    EXPECT_EQ(reader.next()->payload, "g");
}

}  // namespace
}  // namespace backplane::runtime::gdb
