// The actions of `backplane image` that look at a file and tell what they saw.
#include "cli/image_arguments.h"
#include "cli/machine_options.h"
#include "cli/progress_bar.h"
#include "images/check_image.h"
#include "images/open_image.h"
#include "runtime/text_table.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <ctime>

namespace backplane::cli {

namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

// Nothing is opened but this file, and nothing written: here its first bytes may decide alone.
std::expected<images::OpenedImage, std::string> open_to_look(const fs::path& path,
                                                             images::Format format) {
    if (format == images::Format::Auto) {
        auto file = images::HostFile::open(path, images::FileAccess::ReadOnly, images::Locking::No);
        if (!file) return std::unexpected(file.error());
        const auto agreed = images::agreed_format(path, **file);
        const auto first = images::look_at(**file);
        if (!agreed && first) format = first->format;
    }
    return images::open_image(path, {.format = format,
                                     .locking = images::Locking::No,
                                     .backing = images::BackingRule::NotOpened});
}

ordered_json describe(const fs::path& path, const images::OpenedImage& image) {
    ordered_json about{{"path", path.string()},
                       {"format", images::name_of(image.format)},
                       {"size", image.storage->size()},
                       {"file-size", image.file->size()},
                       {"allocated", image.file->allocated_size()}};
    if (image.piece_size != 0) about["cluster-size"] = image.piece_size;
    for (const auto& [name, value] : image.details)
        about[name] = value;
    if (!image.backing.names.empty()) {
        about["backing"] = image.backing.names[0];
        if (!image.backing.format.empty()) about["backing-format"] = image.backing.format;
    }
    if (image.qcow2 == nullptr) return about;
    ordered_json snapshots = ordered_json::array();
    for (const auto& snapshot : image.qcow2->snapshots())
        snapshots.push_back({{"id", snapshot.id},
                             {"name", snapshot.name},
                             {"size", snapshot.disk_size},
                             {"machine-state-size", snapshot.machine_state_size},
                             {"time", snapshot.seconds}});
    about["snapshots"] = std::move(snapshots);
    return about;
}

void print_text(const ordered_json& about) {
    std::vector<std::vector<std::string>> rows;
    for (const auto& [name, value] : about.items()) {
        if (name == "snapshots") continue;
        const bool is_size = value.is_number();
        rows.push_back({name,
                        is_size ? size_text(value.get<std::uint64_t>()) : value.get<std::string>(),
                        is_size ? fmt::format("({} bytes)", value.get<std::uint64_t>()) : ""});
    }
    fmt::print("{}", runtime::text_table(rows));
    if (!about.contains("snapshots") || about["snapshots"].empty()) return;
    rows = {{"id", "name", "size", "machine state", "time"}};
    for (const auto& snapshot : about["snapshots"])
        rows.push_back({snapshot["id"], snapshot["name"], size_text(snapshot["size"]),
                        size_text(snapshot["machine-state-size"]),
                        fmt::format("{:%Y-%m-%d %H:%M:%S} UTC",
                                    fmt::gmtime(snapshot["time"].get<std::time_t>()))});
    fmt::print("\nsnapshots:\n{}", runtime::text_table(rows, 2));
}

int info(const Arguments& arguments, std::span<const std::string> words) {
    const auto format = format_option(arguments, "format");
    if (!format) return fail_image(format.error());
    const auto image = open_to_look(words[0], *format);
    if (!image) return fail_image(image.error());
    const ordered_json about = describe(words[0], *image);
    arguments.has("json") ? print_json(about) : print_text(about);
    return static_cast<int>(ExitCode::Ok);
}

std::string count(std::uint64_t number, const char* what) {
    return fmt::format("{} {}{}", number, what, number == 1 ? "" : "s");
}

void print_text(const images::CheckReport& report) {
    if (!report.is_checkable) return fmt::print("this format has nothing that could be checked\n");
    for (const std::string& finding : report.findings)
        fmt::print("{}\n", finding);
    const std::uint64_t all = report.errors + report.leaks;
    if (all > report.findings.size()) fmt::print("and {} more\n", all - report.findings.size());
    if (all == 0)
        fmt::print("no errors\n");
    else
        fmt::print("{} ({} mended), {} ({} mended)\n", count(report.errors, "error"),
                   report.mended_errors, count(report.leaks, "leak"), report.mended_leaks);
    if (report.pieces != 0)
        fmt::print("{} of {} clusters are in the file, {} of them compressed\n", report.used_pieces,
                   report.pieces, report.packed_pieces);
}

int check(const Arguments& arguments, std::span<const std::string> words) {
    const auto format = format_option(arguments, "format");
    if (!format) return fail_image(format.error());
    const std::string what = arguments.text("repair", "nothing");
    images::Repair repair = images::Repair::Nothing;
    if (what == "leaks")
        repair = images::Repair::Leaks;
    else if (what == "all")
        repair = images::Repair::Everything;
    else if (arguments.has("repair"))
        return fail_image(fmt::format("--repair '{}': leaks or all was expected", what));
    const auto report = images::check_image(words[0], *format, repair);
    if (!report) return fail_image(report.error());
    if (arguments.has("json"))
        print_json({{"path", words[0]},
                    {"checkable", report->is_checkable},
                    {"errors", report->errors},
                    {"leaks", report->leaks},
                    {"mended-errors", report->mended_errors},
                    {"mended-leaks", report->mended_leaks},
                    {"clusters", report->pieces},
                    {"used-clusters", report->used_pieces},
                    {"compressed-clusters", report->packed_pieces},
                    {"findings", report->findings}});
    else
        print_text(*report);
    return static_cast<int>(report->errors > report->mended_errors ? ExitCode::Damaged
                                                                   : ExitCode::Ok);
}

const ImageAction actions[] = {
    {"info", "[--json] FILE", 1, 1, {"format", "json"}, info},
    {"check", "[--repair leaks|all] [--json] FILE", 1, 1, {"format", "repair", "json"}, check},
};

}  // namespace

std::span<const ImageAction> image_reports() { return actions; }

}  // namespace backplane::cli
