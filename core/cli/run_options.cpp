#include "cli/run_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <iterator>
#include <utility>

namespace backplane::cli {

using runtime::Override;

std::expected<Override, std::string> memory_override(const std::string& argument) {
    std::uint64_t number = 0;
    const char* end = argument.data() + argument.size();
    const auto [rest, error] = std::from_chars(argument.data(), end, number);
    const std::string_view unit{rest, end};
    const char* spelled = nullptr;
    if (unit.empty() || unit == "M" || unit == "MiB") spelled = "MiB";
    if (unit == "K" || unit == "KiB") spelled = "KiB";
    if (unit == "G" || unit == "GiB") spelled = "GiB";
    if (unit == "T" || unit == "TiB") spelled = "TiB";
    if (error != std::errc{} || spelled == nullptr)
        return std::unexpected(fmt::format(
            "-m {}: expected a size such as 512M or 4G; a number alone is MiB", argument));
    return Override::option("-m " + argument, "ram0.size", fmt::format("{} {}", number, spelled));
}

std::expected<std::vector<Override>, std::string> serial_overrides(const std::string& argument) {
    const std::string spelled = "--serial " + argument;
    const auto colon = argument.find(':');
    const std::string kind = argument.substr(0, colon);
    const std::string rest = colon == std::string::npos ? "" : argument.substr(colon + 1);
    const auto type = [&](const char* name) {
        return Override::option(spelled, "console.type", name);
    };
    const auto path = [&] {
        return Override::option(spelled, "console.path", std::filesystem::absolute(rest).string());
    };

    if (colon == std::string::npos) {
        if (kind == "stdio") return std::vector{type("character.terminal")};
        if (kind == "pty") return std::vector{type("character.pty")};
        if (kind == "none") return std::vector{type("character.null")};
    } else if (!rest.empty()) {
        if (kind == "file") return std::vector{type("character.file"), path()};
        if (kind == "unix") return std::vector{type("character.unix"), path()};
        if (kind == "tcp")
            return std::vector{type("character.tcp"),
                               Override::option(spelled, "console.port", rest)};
    }
    return std::unexpected(
        fmt::format("{}: expected stdio, file:FILE, pty, unix:PATH, tcp:PORT or none", spelled));
}

void declare_guest_options(CommandOptions& options) {
    namespace po = boost::program_options;
    options.visible.add_options()  //
        ("property,p",
         po::value<std::vector<std::string>>()->value_name("PATH=VALUE")->composing(),  //
         "set a value of the machine file: -p ram0.size='1 GiB' (repeatable)")          //
        ("kernel", po::value<std::string>()->value_name("FILE"),
         "the kernel to boot: boot0.kernel")  //
        ("initrd", po::value<std::string>()->value_name("FILE"),
         "its initial RAM disk, or modules FILE PARAMETERS,FILE...: boot0.initrd")  //
        ("append", po::value<std::string>()->value_name("TEXT"),
         "its command line: boot0.command-line")  //
        ("cdrom", po::value<std::string>()->value_name("FILE"),
         "the image in the CD drive: cdrom0-image.path")  //
        ("floppy", po::value<std::string>()->value_name("FILE"),
         "the image in the floppy drive: floppy0-image.path")  //
        ("disk", po::value<std::vector<std::string>>()->value_name("FILE")->composing(),
         "the image of the hard disk: disk0-image.path; again for disk1-image")  //
        ("boot", po::value<std::string>()->value_name("ORDER"),
         "where the BIOS looks for a system, in order: a floppy, c hard disk, d CD, n network: "
         "rtc0.boot-order")  //
        ("memory,m", po::value<std::string>()->value_name("SIZE"),
         "RAM, such as 512M or 4G: ram0.size")  //
        ("serial", po::value<std::string>()->value_name("WHERE"),
         "the serial console: stdio, file:FILE, pty, unix:PATH, tcp:PORT (loopback) or none");
    options.hidden.add_options()("machine", po::value<std::string>()->required());
    options.positional.add("machine", 1);
}

namespace {

// One file, or several separated by commas; a comma in a name is then written twice.
std::string absolute_files(const std::string& list) {
    std::error_code error;
    if (std::filesystem::exists(list, error)) return std::filesystem::absolute(list).string();
    std::string result;
    for (std::size_t at = 0; at < list.size();) {
        std::size_t end = list.find(',', at);
        while (end != std::string::npos && list.substr(end, 2) == ",,")
            end = list.find(',', end + 2);
        const std::string name = list.substr(at, end == std::string::npos ? end : end - at);
        result += name.empty() ? name : std::filesystem::absolute(name).string();
        if (end == std::string::npos) break;
        result += ',';
        at = end + 1;
    }
    return result;
}

}  // namespace

std::expected<std::vector<Override>, std::string> guest_overrides(const Arguments& arguments) {
    std::vector<Override> overrides;
    const auto path = [&](const char* option, const std::string& value, const std::string& target) {
        // An empty path is the property's "none".
        if (value.empty())
            return overrides.push_back(
                Override::option(fmt::format("--{} ''", option), target, ""));
        overrides.push_back(Override::option(fmt::format("--{} {}", option, value), target,
                                             std::filesystem::absolute(value).string()));
    };
    if (arguments.has("initrd"))
        overrides.push_back(Override::option("--initrd " + arguments.text("initrd"), "boot0.initrd",
                                             absolute_files(arguments.text("initrd"))));
    for (const auto& [option, target] : {std::pair{"kernel", "boot0.kernel"},
                                         {"cdrom", "cdrom0-image.path"},
                                         {"floppy", "floppy0-image.path"}})
        if (arguments.has(option)) path(option, arguments.text(option), target);
    std::size_t disks = 0;
    for (const auto& disk : arguments.list("disk"))
        path("disk", disk, fmt::format("disk{}-image.path", disks++));
    if (arguments.has("append"))
        overrides.push_back(Override::option(fmt::format("--append '{}'", arguments.text("append")),
                                             "boot0.command-line", arguments.text("append")));
    if (arguments.has("boot"))
        overrides.push_back(Override::option("--boot " + arguments.text("boot"), "rtc0.boot-order",
                                             arguments.text("boot")));
    if (arguments.has("memory")) {
        auto memory = memory_override(arguments.text("memory"));
        if (!memory) return std::unexpected(memory.error());
        overrides.push_back(std::move(*memory));
    }
    if (arguments.has("serial")) {
        auto serial = serial_overrides(arguments.text("serial"));
        if (!serial) return std::unexpected(serial.error());
        std::ranges::move(*serial, std::back_inserter(overrides));
    }
    for (const auto& assignment : arguments.list("property"))
        overrides.push_back(Override::assignment(assignment));
    return overrides;
}

}  // namespace backplane::cli
