#include "runtime/control/report_commands.h"

#include "runtime/control/argument.h"
#include "runtime/control/argument_values.h"
#include "runtime/control/context.h"
#include "runtime/nearest_name.h"
#include "runtime/printable_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace backplane::runtime::control {

namespace {

using Reports = Connection<backplane_reports>;

struct Found {
    Component* component;
    Reports reports;
    std::uint32_t index;
    const backplane_report* report;
};

std::vector<Found> all_reports(Context& context) {
    std::vector<Found> all;
    for (const auto& provider : context.providers(BACKPLANE_REPORTS)) {
        const Reports reports{provider.link};
        const auto count = reports.call<&backplane_reports::count>();
        for (std::uint32_t index = 0; index < count; ++index)
            all.push_back({provider.component, reports, index,
                           reports.call<&backplane_reports::describe>(index)});
    }
    return all;
}

std::string text_of(const char* text) { return printable(text != nullptr ? text : ""); }

constexpr ResultField report_fields[] = {
    {"device", ResultKind::Text, "its name in the machine file"},
    {"report", ResultKind::Text, "what to ask it for"},
    {"argument", ResultKind::Text, "what the report is about; empty: it takes none"},
    {"doc", ResultKind::Text, "what it tells"},
};

constexpr ResultField reports_fields[] = {
    {"reports", ResultKind::List, "of all devices", Presence::Always, report_fields},
};

Answer list_reports(const Call& call) {
    auto list = ordered_json::array();
    for (const Found& each : all_reports(call.context))
        list.push_back({{"device", each.component->name()},
                        {"report", text_of(each.report->name)},
                        {"argument", text_of(each.report->argument)},
                        {"doc", text_of(each.report->doc)}});
    return ordered_json{{"reports", std::move(list)}};
}

constexpr backplane_property arguments[] = {
    required(text_argument("report", "Which: see list-reports")),
    text_argument("argument", "What it is about, for those that want to be told"),
    text_argument("device", "Whose; empty: the first that has it"),
};

constexpr ResultField text_fields[] = {
    {"device", ResultKind::Text, "whose it is"},
    {"text", ResultKind::Text, "lines for people"},
};

// What cannot be shown is replaced; lines stay lines.
std::string lines(const std::string& text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        out += printable(std::string_view{text}.substr(at, end - at));
        if (end < text.size()) out += '\n';
        at = end + 1;
    }
    return out;
}

Answer report(const Call& call) {
    const std::string name = call.arguments.text("report");
    const std::string device = call.arguments.text("device");
    const std::string argument = call.arguments.text("argument");
    if (!device.empty())
        if (const auto known = call.context.component(device); !known)
            return std::unexpected{known.error()};
    const auto all = all_reports(call.context);
    const auto found = std::ranges::find_if(all, [&](const Found& each) {
        return name == each.report->name && (device.empty() || device == each.component->name());
    });
    if (found == all.end()) {
        std::vector<std::string> names;
        for (const Found& each : all)
            if (device.empty() || device == each.component->name())
                names.emplace_back(each.report->name);
        const std::string hint = did_you_mean(name, names);
        return refuse(ErrorKind::NotAvailable,
                      fmt::format("{} has no report {}{}", device.empty() ? "this machine" : device,
                                  in_quotes(name), hint.empty() ? "" : "; " + hint));
    }
    std::string text;
    backplane_status status = BACKPLANE_FAILED;
    const auto done = call.context.at_rest([&] {
        status = found->reports.call<&backplane_reports::write>(
            found->index, argument.c_str(),
            +[](void* user, const char* piece, std::uint64_t length) {
                static_cast<std::string*>(user)->append(piece, length);
            },
            static_cast<void*>(&text));
    });
    if (!done) return std::unexpected{done.error()};
    if (status != BACKPLANE_OK) return refuse(ErrorKind::Failed, name + ": " + printable(text));
    return ordered_json{{"device", found->component->name()}, {"text", lines(text)}};
}

}  // namespace

constinit const Command list_reports_command{
    .name = "list-reports",
    .summary = "the texts that devices write about themselves",
    .details = "",
    .returns = reports_fields,
    .run = list_reports,
};

constinit const Command report_command{
    .name = "report",
    .summary = "a text that a device writes about itself",
    .details = "For people: what it looks like may change.",
    .arguments = arguments,
    .returns = text_fields,
    .run = report,
};

}  // namespace backplane::runtime::control
