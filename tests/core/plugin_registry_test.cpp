#include "runtime/plugin_registry.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

namespace backplane::runtime {

namespace {

namespace fs = std::filesystem;

const std::string root = BACKPLANE_TEST_PLUGINS;
const std::string good = root + "/good";
const std::string bad = root + "/bad";
const std::string later = root + "/later";

PluginRegistry registry_of(std::initializer_list<std::string> folders) {
    std::vector<PluginFolder> list;
    for (const std::string& folder : folders)
        list.push_back({folder, "test"});
    return PluginRegistry{PluginSearchPath{std::move(list)}};
}

TEST(PluginRegistry, LoadsAPluginByBareName) {
    PluginRegistry registry = registry_of({good});
    const auto plugin = registry.load("good");
    ASSERT_TRUE(plugin.has_value()) << plugin.error();
    EXPECT_STREQ((*plugin)->descriptor.id, "org.backplane.test.good");
    EXPECT_EQ((*plugin)->file.path, good + "/libgood.so");
    ASSERT_NE(registry.find("fixture.nothing"), nullptr);
    EXPECT_EQ(registry.find("fixture.nothing")->origin, "Fixture 1.2.3 (" + good + "/libgood.so)");
    EXPECT_EQ(registry.find("fixture.other"), nullptr);
}

TEST(PluginRegistry, LoadsAPluginByPath) {
    PluginRegistry registry = registry_of({});
    const auto plugin = registry.load_file(good + "/libgood.so");
    ASSERT_TRUE(plugin.has_value()) << plugin.error();
    EXPECT_EQ(registry.names(), std::vector<std::string>{"fixture.nothing"});
}

TEST(PluginRegistry, LoadsAFileOnceUnderHoweverManyNames) {
    PluginRegistry registry = registry_of({good});
    const auto by_name = registry.load("good");
    const auto by_path = registry.load_file(root + "/bad/../good/libgood.so");
    ASSERT_TRUE(by_name.has_value() && by_path.has_value());
    EXPECT_EQ(*by_name, *by_path);
    EXPECT_EQ(registry.loaded().size(), 1u);
}

TEST(PluginRegistry, GivesTheSameErrorAgainWithoutListingItTwice) {
    PluginRegistry registry = registry_of({bad});
    const auto first = registry.load("wrong_magic");
    const auto second = registry.load("wrong_magic");
    EXPECT_EQ(first.error(), second.error());
    EXPECT_EQ(registry.failed().size(), 1u);
}

TEST(PluginRegistry, TellsTheFoldersItSearchedAndTheNearestName) {
    PluginRegistry registry = registry_of({good, "/nonexistent/plugins"});
    EXPECT_EQ(registry.load("godo").error(), "plugin 'godo' not found: no libgodo.so in\n  " +
                                                 good +
                                                 " (test)\n"
                                                 "  /nonexistent/plugins (test; there is no such "
                                                 "folder)\n"
                                                 "did you mean 'good'?");
    EXPECT_TRUE(registry.failed().empty());
}

TEST(PluginRegistry, TellsHowToNameAFile) {
    PluginRegistry registry = registry_of({good});
    EXPECT_EQ(registry.load("libgood.so").error(),
              "plugin 'libgood.so' not found: no liblibgood.so.so in\n  " + good +
                  " (test)\nto name a file, write a path: './libgood.so'");
}

TEST(PluginRegistry, TellsTheNearestFileOfAMissingPath) {
    PluginRegistry registry = registry_of({});
    EXPECT_EQ(registry.load_file(good + "/libgodo.so").error(),
              good + "/libgodo.so: no such file; did you mean 'libgood.so'?");
    EXPECT_EQ(registry.load_file("/nonexistent/libx.so").error(),
              "/nonexistent/libx.so: no such file");
}

TEST(PluginRegistry, UsesTheFirstOfAShadowedNameAndListsTheRest) {
    PluginRegistry registry = registry_of({later, good});
    const auto plugin = registry.load("other");
    ASSERT_TRUE(plugin.has_value()) << plugin.error();
    EXPECT_EQ((*plugin)->file.path, later + "/libother.so");
    ASSERT_EQ(registry.shadowed().size(), 1u);
    EXPECT_EQ(registry.shadowed()[0].file.path, good + "/libother.so");
    EXPECT_EQ(registry.shadowed()[0].by, later + "/libother.so");
}

TEST(PluginRegistry, RefusesATypeThatTwoPluginsOfferAndNamesBoth) {
    PluginRegistry registry = registry_of({good, later});
    ASSERT_TRUE(registry.load("good").has_value());
    EXPECT_EQ(registry.load("same_types").error(),
              later +
                  "/libsame_types.so: device type 'fixture.nothing' is already offered by Fixture "
                  "1.2.3 (" +
                  good + "/libgood.so)");
    // Refused as a whole: half a plugin would be a surprise.
    EXPECT_EQ(registry.find("fixture.own"), nullptr);
}

TEST(PluginRegistry, RefusesAnIdThatIsTaken) {
    PluginRegistry registry = registry_of({good, later});
    ASSERT_TRUE(registry.load("other").has_value());
    EXPECT_EQ(registry.load("other_twin").error(),
              later + "/libother_twin.so: its id 'org.backplane.test.other' is already taken by " +
                  good + "/libother.so");
}

TEST(PluginRegistry, LoadsTheRestWhenPluginsFail) {
    PluginRegistry registry = registry_of({bad, good, later});
    registry.load_all();
    EXPECT_EQ(registry.names(),
              (std::vector<std::string>{"fixture.newer", "fixture.nothing", "fixture.other"}));
    EXPECT_EQ(registry.loaded().size(), 3u);
    EXPECT_EQ(registry.shadowed().size(), 1u);
    std::size_t bad_files = 0;
    for ([[maybe_unused]] const auto& entry : fs::directory_iterator{bad})
        ++bad_files;
    EXPECT_EQ(registry.failed().size(), bad_files + 2);  // and later's two
}

TEST(PluginRegistry, ReadsDeclarationsOfANewerMinorVersion) {
    PluginRegistry registry = registry_of({good});
    const auto plugin = registry.load("newer_minor");
    ASSERT_TRUE(plugin.has_value()) << plugin.error();
    EXPECT_EQ((*plugin)->descriptor.abi_minor, 9);
    const backplane_device_type& type = *registry.find("fixture.newer")->type;
    EXPECT_EQ(type.struct_size, sizeof(backplane_device_type));
    ASSERT_EQ(type.property_count, 3u);
    EXPECT_STREQ(type.properties[0].name, "first");
    EXPECT_STREQ(type.properties[2].name, "third");
    EXPECT_EQ(type.properties[2].initial.u, 3u);
    ASSERT_EQ(type.port_count, 2u);
    EXPECT_STREQ(type.ports[1].name, "right");
}

TEST(PluginRegistry, TellsWhichPluginOffersATypeThatIsMissing) {
    PluginRegistry registry = registry_of({good});
    ASSERT_TRUE(registry.load("good").has_value());
    EXPECT_EQ(registry.why_missing("fixture.other"),
              "plugin 'other' offers it, but `plugins` does not name it");
    EXPECT_EQ(registry.why_missing("fixture.unheard-of"), "");
    EXPECT_EQ(registry.names(), std::vector<std::string>{"fixture.nothing"});
}

TEST(PluginRegistry, TellsThatThePluginOfAMissingTypeFailed) {
    PluginRegistry registry = registry_of({bad});
    EXPECT_EQ(
        registry.why_missing("text.uart"),
        "plugin 'text' failed: not a shared library: it does not begin with the ELF signature");
}

}  // namespace

}  // namespace backplane::runtime
