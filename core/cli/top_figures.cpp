#include "cli/top_figures.h"

#include "runtime/control/hex.h"
#include "runtime/printable_text.h"

#include <algorithm>
#include <functional>

namespace backplane::cli {

namespace {

using nlohmann::ordered_json;

constexpr double milliseconds_per_second = 1000, instructions_per_million = 1e6;

double milliseconds(std::chrono::steady_clock::duration time) {
    return std::chrono::duration<double, std::milli>{time}.count();
}

std::uint64_t number(const ordered_json& text) {
    return std::stoull(text.get<std::string>(), nullptr, 16);
}

}  // namespace

TopFrame TopFigures::add(const ordered_json& reply) {
    const Clock::time_point now{
        std::chrono::nanoseconds{reply.at("host_nanoseconds").get<std::int64_t>()}};
    if (!start_) start_ = now;
    TopFrame frame;
    frame.machine = machine_;
    frame.state = runtime::printable(reply.at("state").get<std::string>());
    frame.cpus = reply.at("cpus");
    frame.elapsed_ms = milliseconds(now - *start_);
    const auto statistics = reply.at("statistics").get<measure::Statistics>();
    add_speed(statistics, now, frame);
    jit_.add(statistics, now);
    frame.jit = jit_.metrics();
    add_devices(reply.at("windows"), now, frame);
    add_samples(reply.at("samples"), now, frame);
    return frame;
}

void TopFigures::add_speed(const measure::Statistics& statistics, Clock::time_point now,
                           TopFrame& frame) {
    const auto value = [&](const char* name) {
        const auto found = statistics.find(name);
        return found == statistics.end() ? 0 : found->second;
    };
    frame.instructions_executed = value("instructions");
    frame.rep_iterations = value("rep_iterations");
    instructions_.sample(frame.instructions_executed, now);
    frame.mips_window_ms = milliseconds(instructions_.window());
    if (frame.mips_window_ms > 0)
        frame.mips_avg = instructions_.per_second() / instructions_per_million;
    if (last_instructions_) {
        const auto& [before, count] = *last_instructions_;
        const double seconds = milliseconds(now - before) / milliseconds_per_second;
        if (seconds > 0 && frame.instructions_executed >= count)
            speeds_.add(static_cast<double>(frame.instructions_executed - count) / seconds /
                        instructions_per_million);
    }
    last_instructions_ = {now, frame.instructions_executed};
    constexpr double percent = 95;
    if (speeds_.size() != 0) frame.mips_p95 = speeds_.percentile(percent);
}

void TopFigures::add_devices(const ordered_json& windows, Clock::time_point now, TopFrame& frame) {
    for (const ordered_json& each : windows) {
        const auto name = runtime::printable(each.at("window").get<std::string>()),
                   space = runtime::printable(each.at("space").get<std::string>());
        Window& window = windows_[{space, name}];
        window.name = name;
        window.space = space;
        window.reads.sample(each.at("reads"), now);
        window.writes.sample(each.at("writes"), now);
        window.told = now;
    }
    // What a device has taken away is not told any more.
    std::erase_if(windows_, [&](const auto& each) { return each.second.told != now; });
    for (const auto& [key, window] : windows_)
        if (window.reads.difference() != 0 || window.writes.difference() != 0)
            frame.devices.push_back(
                {window.name, window.space, window.reads.per_second(), window.writes.per_second()});
    std::ranges::stable_sort(frame.devices, std::greater{}, [](const TopFrame::Device& device) {
        return device.reads_per_s + device.writes_per_s;
    });
}

void TopFigures::add_samples(const ordered_json& told, Clock::time_point now, TopFrame& frame) {
    frame.why_no_samples = runtime::printable(told.value("why", ""));
    const bool is_first = !idle_.has_value();
    const std::uint64_t idle = told.at("idle");
    since_ = told.at("next");
    Samples samples;
    samples.when = now;
    samples.idle = is_first || idle < *idle_ ? 0 : idle - *idle_;
    idle_ = idle;
    // Of the first reply they are as old as whoever asked before.
    if (!is_first) {
        samples.lost = told.at("lost");
        for (const ordered_json& place : told.at("places")) {
            const std::uint64_t count = place.at("samples");
            const auto activity = place.at("activity").get<std::string>();
            samples.by_activity[activity] += count;
            if (activity == "interpreter" || activity == "compiled_code")
                samples.by_tier[place.at("tier").get<std::uint64_t>()] += count;
            HotBlock block{.pc = number(place.at("pc")),
                           .end = 0,
                           .address_space = number(place.at("address_space")),
                           .privilege = place.at("privilege"),
                           .samples = count};
            const auto code = runtime::control::parse_hex(place.at("code").get<std::string>());
            block.end = ends_.of(block.address_space, block.pc,
                                 place.at("code_size").get<unsigned>(),
                                 code ? *code : std::vector<std::byte>{});
            samples.blocks.add(block);
        }
    }
    samples_.push_back(std::move(samples));
    // The first one's begin where the window does.
    while (samples_.size() > 2 && now - samples_[1].when >= sample_window)
        samples_.pop_front();
    sum_samples(frame);
}

void TopFigures::sum_samples(TopFrame& frame) {
    for (const std::string_view activity : activities)
        frame.by_activity[std::string{activity}] = 0;
    HotBlocks blocks;
    for (auto each = samples_.begin() + 1; each < samples_.end(); ++each) {
        frame.idle += each->idle;
        frame.lost += each->lost;
        for (const auto& [activity, count] : each->by_activity) {
            frame.by_activity[activity] += count;
            frame.samples += count;
        }
        for (const auto& [tier, count] : each->by_tier)
            frame.by_tier[tier] += count;
        blocks.add(each->blocks);
    }
    frame.sample_window_ms = milliseconds(samples_.back().when - samples_.front().when);
    frame.hot_blocks = blocks.hottest(most_hot_blocks_);
}

}  // namespace backplane::cli
