#include "cli/command.h"
#include "cli/control_client.h"
#include "cli/top_figures.h"
#include "cli/top_screen.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <expected>
#include <optional>
#include <string>
#include <thread>
#include <utility>

namespace backplane::cli {

namespace {

namespace po = boost::program_options;
using nlohmann::ordered_json;
using runtime::control::Client;
using Clock = std::chrono::steady_clock;

constexpr double usual_interval = 0.2, shortest_interval = 0.05, longest_interval = 3600;
constexpr std::uint64_t usual_hot_blocks = 10, most_hot_blocks = 1000;
constexpr int killed_by_signal = 128;

void declare(CommandOptions& options) {
    options.visible.add_options()  //
        ("interval", po::value<double>()->value_name("SECONDS"),
         "between two refreshes: 0.05 to 3600; 0.2")  //
        ("count", po::value<std::int64_t>()->value_name("N"),
         "end after so many refreshes; without it, when you press q or the machine ends")  //
        ("hot", po::value<std::int64_t>()->value_name("N"),
         "show so many hot blocks at most: 0 to 1000; 10")                         //
        ("json", "a line of JSON for each refresh, as docs/top.schema.json says")  //
        ("plain", "a line of text for each refresh, as where there is no terminal");
    declare_control_address(options);
}

struct Settings {
    std::chrono::nanoseconds interval{};
    std::uint64_t hot_blocks = usual_hot_blocks;
    std::optional<std::uint64_t> count;
};

std::expected<Settings, std::string> settings_of(const Arguments& arguments) {
    Settings settings;
    const double interval = arguments.has("interval") ? arguments.get<double>("interval")
                                                      : usual_interval;
    // Written so that what is no number is refused, too.
    if (!(interval >= shortest_interval && interval <= longest_interval))
        return std::unexpected{fmt::format("--interval {}: {} to {} seconds were expected",
                                           interval, shortest_interval, longest_interval)};
    settings.interval = std::chrono::round<std::chrono::nanoseconds>(
        std::chrono::duration<double>{interval});
    if (arguments.has("count")) {
        const auto count = arguments.get<std::int64_t>("count");
        if (count < 1)
            return std::unexpected{fmt::format("--count {}: 1 or more was expected", count)};
        settings.count = static_cast<std::uint64_t>(count);
    }
    if (arguments.has("hot")) {
        const auto hot = arguments.get<std::int64_t>("hot");
        if (hot < 0 || hot > static_cast<std::int64_t>(most_hot_blocks))
            return std::unexpected{
                fmt::format("--hot {}: 0 to {} was expected", hot, most_hot_blocks)};
        settings.hot_blocks = static_cast<std::uint64_t>(hot);
    }
    if (arguments.has("json") && arguments.has("plain"))
        return std::unexpected{"--json and --plain exclude each other"};
    return settings;
}

// Asks the machine at each refresh; what is to be done with the answers is for who calls.
class Watch {
public:
    Watch(Client client, const Settings& settings)
        : client_{std::move(client)}, settings_{settings},
          figures_{client_.greeting().value("machine", ""), settings.hot_blocks},
          next_{Clock::now()} {}

    // Nothing: the machine has ended. The error is a message for the user.
    std::expected<std::optional<TopFrame>, std::string> refresh() {
        const auto reply = client_.execute("activity", {{"since", figures_.since()}});
        if (!reply) return std::nullopt;
        if (reply->contains("error"))
            return std::unexpected{"the machine does not tell: " +
                                   reply->at("error").value("message", "refused")};
        ++refreshes_;
        next_ = std::max(next_ + settings_.interval, Clock::now());
        try {
            return figures_.add(reply->at("return"));
        } catch (const nlohmann::json::exception& error) {
            return std::unexpected{
                fmt::format("the machine's answer makes no sense: {}", error.what())};
        }
    }
    [[nodiscard]] bool is_done() const { return settings_.count && refreshes_ >= *settings_.count; }
    [[nodiscard]] Clock::time_point next() const { return next_; }

private:
    Client client_;
    Settings settings_;
    TopFigures figures_;
    Clock::time_point next_;
    std::uint64_t refreshes_ = 0;
};

constexpr const char* has_ended = "the machine has ended";

int show_lines(Watch& watch, bool as_json) {
    for (;;) {
        const auto frame = watch.refresh();
        if (!frame) return fail_control(frame.error());
        if (!*frame) {
            fmt::print(stderr, "backplane: {}\n", has_ended);
            return static_cast<int>(ExitCode::Ok);
        }
        const std::string line = as_json
                                     ? to_json(**frame).dump(-1, ' ', false,
                                                             ordered_json::error_handler_t::replace)
                                     : plain_line(**frame);
        if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size() ||
            std::fputc('\n', stdout) == EOF || std::fflush(stdout) != 0)
            return fail_control("cannot write to standard output");
        if (watch.is_done()) return static_cast<int>(ExitCode::Ok);
        std::this_thread::sleep_until(watch.next());
    }
}

int show_screen(Watch& watch) {
    std::string message;
    int code = static_cast<int>(ExitCode::Ok);
    {
        TopScreen screen;
        for (bool stays = true; stays;) {
            const auto frame = watch.refresh();
            if (TopScreen::is_over()) break;
            if (!frame) {
                message = frame.error();
                code = static_cast<int>(ExitCode::BadInput);
                break;
            }
            if (!*frame) {
                message = has_ended;
                break;
            }
            const auto lines = screen_lines(**frame);
            screen.draw(lines);
            if (watch.is_done()) break;
            for (auto event = TopScreen::Event::Resized; event == TopScreen::Event::Resized;) {
                event = screen.wait(watch.next());
                if (event == TopScreen::Event::Resized) screen.draw(lines);
                stays = event != TopScreen::Event::Quit;
            }
        }
    }
    if (!message.empty()) fmt::print(stderr, "backplane: {}\n", message);
    const int signal = TopScreen::signal();
    // Ctrl-C is how people leave.
    return signal == 0 || signal == SIGINT ? code : killed_by_signal + signal;
}

int run(const Arguments& arguments) {
    const auto settings = settings_of(arguments);
    if (!settings) return fail_control(settings.error());
    auto client = connect_control(arguments.text("address"));
    if (!client) return fail_control(client.error());
    Watch watch{std::move(*client), *settings};
    const bool is_plain = arguments.has("plain") || !TopScreen::is_possible();
    if (arguments.has("json") || is_plain) return show_lines(watch, arguments.has("json"));
    return show_screen(watch);
}

}  // namespace

const Command top_command{
    .name = "top",
    .arguments = "ADDRESS",
    .summary = "watch what keeps a running machine busy",
    .description = "ADDRESS is what `run --control` was given. Shows, five times a second, the "
                   "guest's MIPS, where the time goes,\n"
                   "the blocks of its code that take most of it, the devices it uses most, and "
                   "what compiling is like. q leaves.",
    .declare = declare,
    .run = run,
};

}  // namespace backplane::cli
