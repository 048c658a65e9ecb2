// The declarations of all commands: complete, in one style, and documented as they are.
#include "runtime/control/command_help.h"
#include "runtime/control/command_schema.h"
#include "runtime/property_report.h"
#include "support/paths.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

namespace backplane::runtime::control {
namespace {

bool is_kebab_case(const std::string& name) {
    return !name.empty() &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos;
}

TEST(CommandDeclarations, AreCompleteAndInOneStyle) {
    std::set<std::string> names;
    for (const Command* command : commands()) {
        EXPECT_TRUE(is_kebab_case(command->name)) << command->name;
        EXPECT_TRUE(names.insert(command->name).second) << command->name << " is there twice";
        EXPECT_TRUE(command->run) << command->name;
        const std::string summary = command->summary;
        EXPECT_FALSE(summary.empty() || summary.ends_with('.')) << command->name;
        const std::string details = command->details;
        EXPECT_TRUE(details.empty() || details.ends_with('.')) << command->name;
        std::set<std::string> arguments;
        bool optional = false;
        for (const auto& argument : command->arguments) {
            const std::string where = command->name + std::string{" "} + argument.name;
            EXPECT_TRUE(is_kebab_case(argument.name)) << where;
            EXPECT_TRUE(arguments.insert(argument.name).second) << where;
            EXPECT_NE(*argument.doc, '\0') << where;
            EXPECT_FALSE(optional && is_required(argument)) << where << " comes too late";
            optional |= !is_required(argument);
            if (argument.kind == BACKPLANE_TEXT) EXPECT_NE(argument.initial.text, nullptr) << where;
        }
    }
}

TEST(CommandDeclarations, AreFoundByName) {
    for (const Command* command : commands())
        EXPECT_EQ(find_command(command->name), command);
    EXPECT_EQ(find_command("nonsense"), nullptr);
}

TEST(CommandDeclarations, MakeAJsonSchemaWithARuleForEach) {
    const auto schema = request_schema();
    ASSERT_EQ(schema["allOf"].size(), commands().size());
    for (std::size_t index = 0; index < commands().size(); ++index) {
        const Command& command = *commands()[index];
        const auto& rule = schema["allOf"][index];
        EXPECT_EQ(rule["if"]["properties"]["execute"]["const"], command.name);
        const auto& arguments = rule["then"]["properties"]["arguments"]["properties"];
        for (const auto& argument : command.arguments)
            EXPECT_TRUE(arguments.contains(argument.name)) << command.name << argument.name;
    }
}

// To renew it: backplane ctl help reference, behind the first part of docs/control.md.
TEST(CommandDeclarations, AreWhatTheManualSays) {
    std::ifstream file{std::string{test::paths::source} + "/docs/control.md"};
    std::stringstream text;
    text << file.rdbuf();
    const std::string manual = text.str(), reference = command_reference();
    ASSERT_GT(manual.size(), reference.size());
    EXPECT_EQ(manual.substr(manual.size() - reference.size()), reference)
        << "renew docs/control.md with `backplane ctl help reference`";
}

}  // namespace
}  // namespace backplane::runtime::control
