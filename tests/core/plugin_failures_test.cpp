// Every way a plugin can fail, and the whole text that its author gets to read.
#include "runtime/plugin_registry.h"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

namespace backplane::runtime {

namespace {

struct BadPlugin {
    const char* name;
    const char* reason;
};

void PrintTo(const BadPlugin& plugin, std::ostream* out) { *out << plugin.name; }

const std::string folder = BACKPLANE_TEST_PLUGINS "/bad";

class PluginFailure : public testing::TestWithParam<BadPlugin> {};

TEST_P(PluginFailure, IsExplainedWithPathAndReason) {
    PluginRegistry registry{PluginSearchPath{{{folder, "test"}}}};
    const auto plugin = registry.load(GetParam().name);
    ASSERT_FALSE(plugin.has_value());
    EXPECT_EQ(plugin.error(), folder + "/lib" + GetParam().name + ".so: " + GetParam().reason);
    ASSERT_EQ(registry.failed().size(), 1u);
    EXPECT_EQ(registry.failed().front().reason, GetParam().reason);
    EXPECT_TRUE(registry.names().empty());
}

const BadPlugin bad_plugins[] = {
    {"text", "not a shared library: it does not begin with the ELF signature"},
    {"empty", "not a shared library: it does not begin with the ELF signature"},
    {"truncated", "cannot be loaded: file too short"},
    {"folder", "a folder; a shared library was expected"},
    {"dangling", "a link to nowhere.so, which does not exist"},
    {"undefined_symbol", "cannot be loaded: undefined symbol 'example::lost_function(int, char "
                         "const*)' (_ZN7example13lost_functionEiPKc)"},
    {"missing_library",
     "cannot be loaded: it needs the library liblost_library.so, which was not found"},
    {"no_symbol", "not a Backplane plugin: it exports no symbol 'backplane_plugin'"},
    {"tiny_symbol",
     "its symbol 'backplane_plugin' has 4 bytes; a plugin descriptor begins with 16"},
    {"wrong_magic", "wrong magic in 'backplane_plugin': found 0xdeadbeef, expected 0x4c504b42 "
                    "(\"BKPL\")"},
    {"wrong_major", "wrong ABI: built for 7.3, but this Backplane speaks 1.5; rebuild the plugin "
                    "with an SDK of ABI 1"},
    {"small_descriptor",
     "its descriptor is too small: struct_size is 24, ABI 1.0 needs 64 or more"},
    {"false_size", "its descriptor claims struct_size 4096, but 'backplane_plugin' has 64 bytes"},
    {"no_version", "its descriptor has no version; a non-empty text was expected"},
    {"no_get_factory", "its descriptor has no get_factory; a function was expected"},
    {"throwing_factory", "its get_factory threw an exception; none may cross the plugin seam"},
    {"no_factory", "offers no device types: get_factory(\"backplane.device-factory/1\") gave NULL"},
    {"small_factory",
     "its device factory is too small: struct_size is 8, ABI 1.0 needs 16 or more"},
    {"empty_factory", "offers no device types: its factory lists none"},
    {"null_list", "its factory claims 2 device types, but the list is NULL"},
    {"null_entry", R"(invalid declarations:
  device type 1 is NULL
  device type 2 has struct_size 40; ABI 1.0 needs 168 or more)"},
    {"invalid_lists", R"(invalid declarations:
  device type 0 claims 3 of 'state field', but the list is NULL
  device type 1 property 1 has struct_size 0, but the first has 64
  device type 2 port 0 has struct_size 0; ABI 1.0 needs 56 or more, in steps of 8
  device type 3 claims 1000000 of 'property'; at most 4096 are allowed)"},
    {"invalid_declarations", R"(invalid declarations:
  device type 'NoFamily': its name must be family.chip in lower case, such as 'chipset.pit8254'
  device type 'NoFamily': it has no summary
  device type 'NoFamily': property 'Upper': its name must be lower-case words joined by '-'
  device type 'NoFamily': property 1: it has no name
  device type 'NoFamily': property 'type': machine files use this key themselves
  device type 'NoFamily': property 'undocumented': it has no doc
  device type 'NoFamily': property 'strange': its kind is 99; 1 (BOOLEAN) to 9 (PATH) were expected
  device type 'NoFamily': property 'colour': a choice without choices
  device type 'NoFamily': property 'paint': choice 'red' is there twice
  device type 'NoFamily': property 'paint': choice 2 is empty
  device type 'NoFamily': property 'paint': its default is choice 3, but there are 3
  device type 'NoFamily': property 'maybe': its default is 2; 0 or 1 was expected
  device type 'NoFamily': property 'level': its default -9 is outside its range -8 to 7
  device type 'NoFamily': property 'size': its range 2 to 1 is empty
  device type 'NoFamily': port 'dynamic': a window of size 0 needs the function window_size
  device type 'NoFamily': port 'twice': another property or port has this name
  device type 'NoFamily': port 'log': machine files use this key themselves
  device type 'NoFamily': port 'untyped': it has no interface id
  device type 'NoFamily': port 'unversioned': its interface id is 'backplane.line'; name/version such as 'backplane.line/1' was expected
  device type 'NoFamily': port 'roleless': its role is 0; 1 (PROVIDES) or 2 (REQUIRES) was expected
  device type 'NoFamily': port 'none': its count is 0; 1 or more was expected
  device type 'NoFamily': port 'shy': only a port that requires may be optional or multiple
  device type 'NoFamily': port 'wide': only a window that it provides may have a size
  device type 'NoFamily': register field 'CONTROL.OVER': 4 bits from bit 30 do not fit a register of 32 bits
  device type 'NoFamily': register field 'CONTROL.ODD': its access is 77; 0 (READ_WRITE) to 5 (WRITE_ONE_TO_SET) were expected
  device type 'NoFamily': register 'FAR': 4 bytes at 0x6 do not fit its window of 0x8 bytes
  device type 'NoFamily': register 'ODD': its width is 3 bytes; 1, 2, 4 or 8 was expected
  device type 'NoFamily': register 'NOWHERE': it is in port 50, but there are 10
  device type 'NoFamily': register 'ON_A_WIRE': its port 'twice' is not a window
  device type 'NoFamily': statistic 'frames sent': its name may have letters, digits and ._-[] only
  device type 'NoFamily': statistic 'bytes': it has no unit
  device type 'NoFamily': statistic 'bytes': its kind is 12; 1 (COUNTER) to 3 (DURATION_TOTAL) were expected
  device type 'NoFamily': state field 'divisor': its elements have 3 bytes; 1, 2, 4 or 8 was expected
  device type 'NoFamily': state field 'enabled': its count is 0; 1 or more was expected
  device type 'NoFamily': state field 'enabled': another state field has this name
  device type 'NoFamily': state field 'enabled': its kind is 44; 1 (UNSIGNED) to 4 (BYTES) were expected
  device type 'NoFamily': function create is NULL, but every type needs it
  device type 'NoFamily': function destroy is NULL, but every type needs it
  device type 'NoFamily': function reset is NULL, but every type needs it
  device type 'NoFamily': function provide is NULL, but a port PROVIDES
  device type 'NoFamily': function connect is NULL, but a port REQUIRES
  device type 'NoFamily': function read_statistics is NULL, but there are statistics
  device type 'NoFamily': function state_address is NULL, but there is saved state
  device type 'fixture.nothing': the plugin offers this name twice)"},
};

INSTANTIATE_TEST_SUITE_P(All, PluginFailure, testing::ValuesIn(bad_plugins),
                         [](const auto& info) { return std::string{info.param.name}; });

}  // namespace

}  // namespace backplane::runtime
