#include "core/small_catalog.h"
#include "runtime/machine_schema.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace backplane::test {
namespace {

using nlohmann::ordered_json;

ordered_json rule_of(const std::string& type) {
    const auto schema = runtime::machine_schema(SmallCatalog{});
    for (const ordered_json& rule : schema["definitions"]["device"]["allOf"])
        if (rule["if"]["properties"]["type"]["const"] == type) return rule["then"];
    return {};
}

TEST(MachineSchema, IsDraft7AndRefusesUnknownKeysEverywhere) {
    const auto schema = runtime::machine_schema(SmallCatalog{});
    EXPECT_EQ(schema["$schema"], "http://json-schema.org/draft-07/schema#");
    EXPECT_EQ(schema["additionalProperties"], false);
    EXPECT_TRUE(schema["patternProperties"].contains("^x-"));
    EXPECT_EQ(schema["properties"]["machine"]["additionalProperties"], false);
    EXPECT_EQ(rule_of("test.timer")["additionalProperties"], false);
}

TEST(MachineSchema, ListsEveryTypeWithWhatItDeclares) {
    const auto schema = runtime::machine_schema(SmallCatalog{});
    EXPECT_EQ(schema["definitions"]["device"]["properties"]["type"]["enum"].size(),
              SmallCatalog{}.names().size());
    const ordered_json serial = rule_of("test.serial")["properties"];
    for (const char* key : {"type", "log", "parity", "label", "fifo", "registers", "irq", "stream"})
        EXPECT_TRUE(serial.contains(key)) << key;
    EXPECT_EQ(serial["parity"]["anyOf"][0]["enum"], ordered_json::array({"none", "even", "odd"}));
    EXPECT_EQ(serial["registers"]["allOf"][0]["$ref"], "#/definitions/window");
    // What others connect to is no key of the device that provides it.
    EXPECT_FALSE(rule_of("test.pic")["properties"].contains("input"));
    EXPECT_EQ(rule_of("test.router")["properties"]["out"]["allOf"][0]["$ref"],
              "#/definitions/elements");
}

}  // namespace
}  // namespace backplane::test
