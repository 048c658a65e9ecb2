// The `backplane` program's frame: commands, help, exit codes, and `list` with every kind of
// plugin.
#include "runtime/exit_codes.h"
#include "support/paths.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

namespace backplane {

namespace {

using runtime::ExitCode;
using testing::HasSubstr;

struct Result {
    int code;
    std::string output;
};

// Runs the program through a shell; `streams` tells what of standard error is wanted.
Result backplane_program(const std::string& arguments, const std::string& streams = "2>&1") {
    // No plugins of whoever runs the tests.
    const std::string command = "unset BACKPLANE_PLUGIN_PATH; XDG_DATA_HOME=/nonexistent " +
                                std::string{test::paths::program} + " " + arguments + " " + streams;
    FILE* pipe = popen(command.c_str(), "r");
    if (!pipe) return {-1, "popen failed"};
    std::string output;
    char buffer[4096];
    while (const std::size_t length = std::fread(buffer, 1, sizeof buffer, pipe))
        output.append(buffer, length);
    const int status = pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

const std::string with_fixtures = "--plugin-path " BACKPLANE_TEST_PLUGINS
                                  "/good --plugin-path " BACKPLANE_TEST_PLUGINS
                                  "/bad --plugin-path " BACKPLANE_TEST_PLUGINS "/later";

void expect(const Result& result, ExitCode code, const std::string& text) {
    EXPECT_EQ(result.code, static_cast<int>(code)) << result.output;
    EXPECT_THAT(result.output, HasSubstr(text));
}

TEST(CommandLine, HelpListsCommandsAndExitCodes) {
    const Result help = backplane_program("--help");
    expect(help, ExitCode::Ok, "Usage: backplane COMMAND");
    for (const char* command : {"run", "validate", "explain", "list", "info", "version"})
        EXPECT_THAT(help.output, HasSubstr(std::string{"\n  "} + command + " ")) << command;
    for (const auto& meaning : runtime::exit_code_meanings)
        EXPECT_THAT(help.output, HasSubstr(meaning.text));
    EXPECT_EQ(backplane_program("help").output, help.output);
}

TEST(CommandLine, EveryCommandHasHelp) {
    for (const std::string command : {"run", "validate", "explain", "list", "info", "version"}) {
        const Result help = backplane_program("help " + command);
        expect(help, ExitCode::Ok, "Usage: backplane " + command);
        EXPECT_EQ(backplane_program(command + " --help").output, help.output);
    }
}

TEST(CommandLine, SuggestsTheCommandAndTheOptionThatWereMeant) {
    expect(backplane_program("lsit"), ExitCode::BadInput,
           "backplane: unknown command 'lsit'; did you mean 'list'?\n");
    expect(backplane_program("list --jsno"), ExitCode::BadInput,
           "backplane: unknown option '--jsno'; did you mean '--json'?\n");
    expect(backplane_program(""), ExitCode::BadInput, "a command is missing");
    expect(backplane_program("--frobnicate"), ExitCode::BadInput, "unknown option '--frobnicate'");
}

TEST(CommandLine, TellsWhatItExpectedInsteadOfMissingOrSurplusArguments) {
    expect(backplane_program("validate"), ExitCode::BadInput,
           "an argument is missing; expected: backplane validate");
    expect(backplane_program("list plugins devices"), ExitCode::BadInput,
           "too many arguments; expected: backplane list [options] [plugins|devices]");
    expect(backplane_program("list plugnis"), ExitCode::BadInput, "cannot list 'plugnis'");
    expect(backplane_program("list --plugin-path"), ExitCode::BadInput, "plugin-path");
}

TEST(ListCommand, ShowsLoadedFailedAndShadowedPlugins) {
    const Result list = backplane_program("list " + with_fixtures);
    expect(list, ExitCode::Ok, R"(good 1.2.3  Fixture
    id     org.backplane.test.good
    ABI    1.5
    path   )" BACKPLANE_TEST_PLUGINS R"(/good/libgood.so (--plugin-path)
    types  fixture.nothing
)");
    EXPECT_THAT(list.output, HasSubstr(R"(null_entry
    path   )" BACKPLANE_TEST_PLUGINS R"(/bad/libnull_entry.so (--plugin-path)
    invalid declarations:
      device type 1 is NULL
      device type 2 has struct_size 40; ABI 1.0 needs 168 or more
)"));
    EXPECT_THAT(list.output, HasSubstr(R"(
Shadowed:
other
    path   )" BACKPLANE_TEST_PLUGINS R"(/later/libother.so (--plugin-path)
    hidden by )" BACKPLANE_TEST_PLUGINS R"(/good/libother.so
)"));
}

TEST(ListCommand, PrintsTheSameAsJson) {
    const auto json = nlohmann::json::parse(
        backplane_program("list --json " + with_fixtures, "2>/dev/null").output);
    const auto named = [](const nlohmann::json& list, const char* name) {
        for (const auto& entry : list)
            if (entry["name"] == name) return entry;
        return nlohmann::json{};
    };
    EXPECT_EQ(named(json["plugins"], "newer_minor")["abi"], "1.9");
    EXPECT_EQ(named(json["plugins"], "newer_minor")["types"], nlohmann::json{"fixture.newer"});
    EXPECT_THAT(named(json["failed"], "wrong_major")["reason"], HasSubstr("built for 7.3"));
    EXPECT_EQ(named(json["shadowed"], "other")["by"], BACKPLANE_TEST_PLUGINS "/good/libother.so");
    EXPECT_EQ(json["search_path"][0]["origin"], "--plugin-path");
}

TEST(ListCommand, ListsDeviceTypes) {
    expect(backplane_program("list devices " + with_fixtures, "2>/dev/null"), ExitCode::Ok,
           "fixture.nothing");
    const auto json = nlohmann::json::parse(
        backplane_program("list devices --json " + with_fixtures, "2>/dev/null").output);
    EXPECT_THAT(json.dump(), HasSubstr(R"({"path":")" BACKPLANE_TEST_PLUGINS
                                       R"(/good/libother.so","plugin":"org.backplane.test.other",)"
                                       R"("summary":"Does nothing","type":"fixture.other"})"));
}

TEST(ListCommand, TakesThePluginPathBeforeTheCommandToo) {
    EXPECT_EQ(backplane_program(with_fixtures + " list").output,
              backplane_program("list " + with_fixtures).output);
}

TEST(VersionCommand, TellsProgramAndAbi) {
    expect(backplane_program("version"), ExitCode::Ok, "plugin ABI 1.5");
    const auto json = nlohmann::json::parse(backplane_program("version --json").output);
    EXPECT_EQ(json["abi"], "1.5");
    EXPECT_THAT(backplane_program("--version").output,
                HasSubstr(json["version"].get<std::string>()));
}

}  // namespace

}  // namespace backplane
