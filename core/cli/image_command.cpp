#include "cli/command.h"
#include "cli/image_arguments.h"
#include "runtime/nearest_name.h"
#include "runtime/units.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace backplane::cli {

namespace {

namespace po = boost::program_options;

constexpr std::array option_names{
    "format",       "to",      "backing",       "backing-format", "backing-anywhere",
    "cluster-size", "version", "refcount-bits", "lazy-refcounts", "compression",
    "compress",     "fixed",   "force",         "snapshot",       "repair",
    "unsafe",       "json"};

void declare(CommandOptions& options) {
    const auto text = [](const char* value) { return po::value<std::string>()->value_name(value); };
    options.visible.add_options()  //
        ("format,f", text("FORMAT"),
         "what FILE is: raw, qcow2, vhd, vmdk or vdi; by default what its name and its first bytes "
         "agree on. Of create: what it becomes")                                            //
        ("to,t", text("FORMAT"), "convert: what the new image becomes: raw, qcow2 or vhd")  //
        ("backing,b", text("FILE"),
         "create, rebase: the image it is based on, as seen from its folder; '' for none")  //
        ("backing-format", text("FORMAT"), "what that is")                                  //
        ("backing-anywhere",
         "open the file an image is based on even if it is not in its folder")                    //
        ("cluster-size", text("SIZE"), "qcow2: 512 B to 2 MiB; 64 KiB by default")                //
        ("version", text("NUMBER"), "qcow2: 2 for programs from before 2012; 3 by default")       //
        ("refcount-bits", text("NUMBER"), "qcow2: 1 to 64; 16 by default")                        //
        ("lazy-refcounts", "qcow2: faster flushes, and a repair after a failure")                 //
        ("compression", text("KIND"), "qcow2: zlib or zstd, for what convert --compress writes")  //
        ("compress,c", "convert: compress the new image")                                         //
        ("fixed", "vhd: all of the disk at once, with a footer")                                  //
        ("snapshot", text("NAME"), "convert: read this internal snapshot of a qcow2 image")       //
        ("repair", text("WHAT"), "check: mend leaks, or all that is wrong: leaks or all")         //
        ("unsafe", "rebase: only say that the image is based on another file, which is the same "
                   "disk elsewhere")                                //
        ("force", "create, convert: overwrite a file that exists")  //
        ("json", "info, check: print JSON");
    options.hidden.add_options()("words", po::value<std::vector<std::string>>());
    options.positional.add("words", -1);
}

const ImageAction* find_action(const std::string& name) {
    for (const auto actions : {image_work(), image_reports()})
        for (const ImageAction& action : actions)
            if (name == action.name) return &action;
    return nullptr;
}

int report_unknown(const std::string& name) {
    std::vector<std::string> names;
    for (const auto actions : {image_work(), image_reports()})
        for (const ImageAction& action : actions)
            names.emplace_back(action.name);
    const std::string hint = runtime::did_you_mean(name, names);
    return fail_image(fmt::format("unknown action '{}'; {}", name,
                                  hint.empty() ? "`backplane help image` lists them" : hint));
}

int run(const Arguments& arguments) {
    std::vector<std::string> words = arguments.list("words");
    if (words.empty()) return fail_image("an action is missing; `backplane help image` lists them");
    const ImageAction* action = find_action(words[0]);
    if (action == nullptr) return report_unknown(words[0]);
    words.erase(words.begin());
    if (words.size() < action->fewest || words.size() > action->most)
        return fail_image(
            fmt::format("expected: backplane image {} {}", action->name, action->arguments));
    for (const char* option : option_names)
        if (arguments.has(option) &&
            std::ranges::find(action->options, std::string_view{option}) == action->options.end())
            return fail_image(fmt::format("{} does not take --{}", action->name, option));
    return action->run(arguments, words);
}

}  // namespace

std::expected<std::uint64_t, std::string> parse_size(std::string text) {
    // As for `run -m`, the first letter of a unit will do.
    if (text.size() >= 2 && std::string_view{"KMGT"}.contains(text.back()) &&
        std::isdigit(static_cast<unsigned char>(text[text.size() - 2])) != 0)
        text = fmt::format("{} {}iB", text.substr(0, text.size() - 1), text.back());
    const auto bytes = runtime::parse_bytes(text);
    if (!bytes)
        return std::unexpected(
            fmt::format("size '{}' {}; {}", text, bytes.error().problem, bytes.error().expected));
    return *bytes;
}

std::expected<images::Format, std::string> format_option(const Arguments& arguments,
                                                         const char* option) {
    if (!arguments.has(option)) return images::Format::Auto;
    const std::string name = arguments.text(option);
    const images::Format format = images::format_named(name);
    if (format == images::Format::Auto)
        return std::unexpected(
            fmt::format("--{} '{}': raw, qcow2, vhd, vmdk or vdi was expected", option, name));
    return format;
}

std::expected<images::OpenOptions, std::string> open_options(const Arguments& arguments) {
    const auto format = format_option(arguments, "format");
    if (!format) return std::unexpected(format.error());
    images::OpenOptions options;
    options.format = *format;
    if (arguments.has("backing-anywhere")) options.backing = images::BackingRule::Anywhere;
    options.internal_snapshot = arguments.text("snapshot");
    return options;
}

int fail_image(const std::string& why) {
    fmt::print(stderr, "backplane: image: {}\n", why);
    return static_cast<int>(ExitCode::BadInput);
}

int fail_work(const std::string& why) {
    fmt::print(stderr, "backplane: image: {}\n", why);
    return static_cast<int>(ExitCode::InternalError);
}

const Command image_command{
    .name = "image",
    .arguments = "ACTION FILE...",
    .summary = "make, check and convert disk images",
    .description =
        "ACTION is one of\n"
        "  create FILE [SIZE]     an empty disk, such as 20G; with --backing as large as that\n"
        "  info FILE              what is in it\n"
        "  check FILE             whether its tables are right\n"
        "  convert FROM TO        copies a disk into a new image, without what is zero\n"
        "  commit FILE            writes what an image has down into the one it is based on\n"
        "  rebase FILE            bases an image on another; what it reads as stays the same\n"
        "qemu-img reads and writes the same files. VMDK and VDI images can be read.",
    .declare = declare,
    .run = run,
};

}  // namespace backplane::cli
