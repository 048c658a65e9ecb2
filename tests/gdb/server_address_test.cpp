#include "runtime/gdb/server_address.h"

#include <gtest/gtest.h>

namespace backplane::runtime::gdb {
namespace {

TEST(GdbAddress, IsAPortOrASocket) {
    for (const char* text : {"1234", ":1234", "tcp:1234", "tcp::1234", "localhost:1234",
                             "127.0.0.1:1234", "tcp:127.0.0.1:1234"}) {
        const auto address = parse_server_address(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(std::get<TcpPort>(*address).number, 1234) << text;
    }
    EXPECT_EQ(std::get<TcpPort>(*parse_server_address("0")).number, 0);
    EXPECT_EQ(std::get<std::filesystem::path>(*parse_server_address("unix:/run/a:b")), "/run/a:b");
}

TEST(GdbAddress, RefusesTheRest) {
    for (const char* text : {"", "tcp:", "65536", "-1", "12x", "unix:", "0.0.0.0:1", "host:1"}) {
        const auto address = parse_server_address(text);
        ASSERT_FALSE(address) << text;
        EXPECT_NE(address.error().find("expected a port"), std::string::npos);
    }
}

}  // namespace
}  // namespace backplane::runtime::gdb
