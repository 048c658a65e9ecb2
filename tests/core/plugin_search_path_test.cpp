#include "runtime/plugin_search_path.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

namespace backplane::runtime {

namespace {

// Sets an environment variable for the length of a test; null unsets it.
class ScopedVariable {
public:
    ScopedVariable(const char* name, const char* value) : name_{name} {
        if (const char* before = std::getenv(name)) before_ = before;
        set(value);
    }
    ~ScopedVariable() { set(before_ ? before_->c_str() : nullptr); }
    ScopedVariable(const ScopedVariable&) = delete;

private:
    void set(const char* value) { value ? setenv(name_, value, 1) : unsetenv(name_); }

    const char* name_;
    std::optional<std::string> before_;
};

std::vector<std::string> described(const PluginSearchPath& path) {
    std::vector<std::string> lines;
    for (const PluginFolder& folder : path.folders())
        lines.push_back(folder.path.string() + " (" + folder.origin + ")");
    return lines;
}

using Lines = std::vector<std::string>;

TEST(PluginSearchPath, GoesFromCommandLineOverEnvironmentAndUserToInstallation) {
    ScopedVariable variable{"BACKPLANE_PLUGIN_PATH", "/e/one::/e/two:"};
    ScopedVariable data{"XDG_DATA_HOME", "/x"};
    const std::filesystem::path options[] = {"/c/one", "/c/two/"};
    EXPECT_EQ(
        described(PluginSearchPath::standard(options, "/usr/local/bin/backplane")),
        (Lines{"/c/one (--plugin-path)", "/c/two (--plugin-path)", "/e/one (BACKPLANE_PLUGIN_PATH)",
               "/e/two (BACKPLANE_PLUGIN_PATH)", "/x/backplane/plugins (the user's data folder)",
               "/usr/local/lib/backplane/plugins (the installation)"}));
}

TEST(PluginSearchPath, FindsTheUsersFolderUnderHomeWhenXdgDataHomeIsNotAbsolute) {
    ScopedVariable variable{"BACKPLANE_PLUGIN_PATH", nullptr};
    ScopedVariable home{"HOME", "/home/ada"};
    ScopedVariable data{"XDG_DATA_HOME", "relative"};
    EXPECT_EQ(described(PluginSearchPath::standard({}, "/opt/bin/backplane")),
              (Lines{"/home/ada/.local/share/backplane/plugins (the user's data folder)",
                     "/opt/lib/backplane/plugins (the installation)"}));
}

TEST(PluginSearchPath, DoesWithoutAHome) {
    ScopedVariable variable{"BACKPLANE_PLUGIN_PATH", ""};
    ScopedVariable home{"HOME", nullptr};
    ScopedVariable data{"XDG_DATA_HOME", nullptr};
    EXPECT_EQ(described(PluginSearchPath::standard({}, "/opt/bin/backplane")),
              (Lines{"/opt/lib/backplane/plugins (the installation)"}));
}

TEST(PluginSearchPath, SearchesAFolderOnceSoThatNothingShadowsItself) {
    const PluginSearchPath path{{{"/a/b", "first"}, {"/a/c/../b/", "second"}}};
    EXPECT_EQ(described(path), Lines{"/a/b (first)"});
}

TEST(PluginSearchPath, ListsOnlyFilesThatAreNamedLikePlugins) {
    const PluginSearchPath path{{{BACKPLANE_TEST_PLUGINS "/good", "test"}}};
    Lines names;
    for (const PluginFile& file : path.files())
        names.push_back(file.name);
    EXPECT_EQ(names, (Lines{"good", "newer_minor", "other"}));
}

TEST(PluginSearchPath, FindsEveryFileOfAName) {
    const PluginSearchPath path{
        {{BACKPLANE_TEST_PLUGINS "/later", "first"}, {BACKPLANE_TEST_PLUGINS "/good", "second"}}};
    const std::vector<PluginFile> files = path.find("other");
    ASSERT_EQ(files.size(), 2u);
    EXPECT_EQ(files[0].origin, "first");
    EXPECT_EQ(files[1].path, BACKPLANE_TEST_PLUGINS "/good/libother.so");
}

}  // namespace

}  // namespace backplane::runtime
