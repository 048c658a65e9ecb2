#include "profile/firefox_profile.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

namespace backplane::profile {
namespace {

using nlohmann::json;

// firefox-devtools/profiler, docs-developer/CHANGELOG-formats.md: the version whose tables these
// are. Later ones convert it.
constexpr int format_version = 60, gecko_version = 30;
constexpr double nanoseconds_per_millisecond = 1e6;

json nulls(std::size_t count) { return json::array_t(count, nullptr); }

class Strings {
public:
    std::size_t index_of(const std::string& text) {
        const auto [place, is_new] = indices_.try_emplace(text, list_.size());
        if (is_new) list_.push_back(text);
        return place->second;
    }
    const std::vector<std::string>& list() const { return list_; }

private:
    std::unordered_map<std::string, std::size_t> indices_;
    std::vector<std::string> list_;
};

// The tables that all threads share.
class Tables {
public:
    explicit Tables(const std::vector<Function>& functions) : functions_{functions} {}

    // Null: no frames.
    json stack_of(const std::vector<Frame>& frames) {
        std::size_t stack = none;
        for (const Frame& frame : frames) {
            const std::size_t index = index_of(frame);
            const auto [place, is_new] = stack_indices_.try_emplace({stack, index}, stacks_.size());
            if (is_new) stacks_.push_back({stack, index});
            stack = place->second;
        }
        return stack == none ? json(nullptr) : json(stack);
    }

    json shared(Strings& strings) const {
        json shared;
        shared["stackTable"] = stack_table();
        shared["frameTable"] = frame_table();
        json& names = (shared["funcTable"] = function_table(strings));
        shared["resourceTable"] = resource_table(strings, names);
        shared["nativeSymbols"] = {{"length", 0},
                                   {"address", json::array()},
                                   {"functionSize", json::array()},
                                   {"libIndex", json::array()},
                                   {"name", json::array()}};
        shared["sources"] = {{"length", 0}, {"uuid", json::array()}, {"filename", json::array()}};
        shared["stringArray"] = strings.list();
        return shared;
    }

private:
    static constexpr std::size_t none = ~std::size_t{0};

    std::size_t index_of(const Frame& frame) {
        const auto [place, is_new] = frame_indices_.try_emplace({frame.function, frame.address},
                                                                frames_.size());
        if (is_new) frames_.push_back(frame);
        return place->second;
    }

    json stack_table() const {
        json prefixes = json::array(), frames = json::array();
        for (const auto& [prefix, frame] : stacks_) {
            prefixes.push_back(prefix == none ? json(nullptr) : json(prefix));
            frames.push_back(frame);
        }
        return {{"length", stacks_.size()},
                {"prefix", std::move(prefixes)},
                {"frame", std::move(frames)}};
    }

    // Guest addresses have more bits than the viewer's tables: they are in the names.
    json frame_table() const {
        const std::size_t count = frames_.size();
        json categories = json::array(), functions = json::array();
        for (const Frame& frame : frames_) {
            functions.push_back(frame.function);
            categories.push_back(1 + static_cast<int>(functions_[frame.function].kind));
        }
        return {{"length", count},
                {"address", json::array_t(count, -1)},
                {"inlineDepth", json::array_t(count, 0)},
                {"category", std::move(categories)},
                {"subcategory", json::array_t(count, 0)},
                {"func", std::move(functions)},
                {"nativeSymbol", nulls(count)},
                {"innerWindowID", nulls(count)},
                {"line", nulls(count)},
                {"column", nulls(count)}};
    }

    json function_table(Strings& strings) const {
        const std::size_t count = functions_.size();
        json names = json::array();
        for (const Function& function : functions_)
            names.push_back(strings.index_of(function.name));
        return {{"length", count},
                {"name", std::move(names)},
                {"isJS", json::array_t(count, false)},
                {"relevantForJS", json::array_t(count, false)},
                {"resource", json::array()},
                {"source", nulls(count)},
                {"lineNumber", nulls(count)},
                {"columnNumber", nulls(count)}};
    }

    // A resource for each module; each function names its own.
    json resource_table(Strings& strings, json& functions) const {
        constexpr int library = 1;
        std::map<std::string, std::size_t> indices;
        json names = json::array(), libs = json::array(), hosts = json::array(),
             types = json::array();
        for (const Function& function : functions_) {
            if (function.module.empty()) {
                functions["resource"].push_back(-1);
                continue;
            }
            const auto [place, is_new] = indices.try_emplace(function.module, indices.size());
            functions["resource"].push_back(place->second);
            if (!is_new) continue;
            names.push_back(strings.index_of(function.module));
            libs.push_back(nullptr);
            hosts.push_back(nullptr);
            types.push_back(library);
        }
        return {{"length", names.size()},
                {"lib", libs},
                {"name", names},
                {"host", hosts},
                {"type", types}};
    }

    const std::vector<Function>& functions_;
    std::vector<Frame> frames_;
    std::vector<std::pair<std::size_t, std::size_t>> stacks_;  // prefix, frame
    std::map<std::pair<std::size_t, std::uint64_t>, std::size_t> frame_indices_;
    std::map<std::pair<std::size_t, std::size_t>, std::size_t> stack_indices_;
};

json categories() {
    constexpr std::pair<const char*, const char*> colors[frame_kind_count]{
        {"Idle", "transparent"}, {"Kernel", "orange"}, {"User", "blue"}, {"Emulator", "purple"}};
    // The first grey one is for what has none.
    json list = {{{"name", "Other"}, {"color", "grey"}, {"subcategories", {"Other"}}}};
    for (const auto& [name, color] : colors)
        list.push_back({{"name", name}, {"color", color}, {"subcategories", {"Other"}}});
    return list;
}

double milliseconds_since(std::uint64_t start, std::uint64_t time) {
    return static_cast<double>(static_cast<std::int64_t>(time - start)) /
           nanoseconds_per_millisecond;
}

class Thread {
public:
    Thread(const Recording& recording, unsigned cpu, std::uint64_t start)
        : recording_{recording}, cpu_{cpu}, start_{start} {}

    json samples(ProfileStacks& stacks, Tables& tables) const {
        std::vector<const Sample*> ordered;
        for (const Sample& sample : recording_.samples)
            if (sample.cpu == cpu_) ordered.push_back(&sample);
        std::ranges::stable_sort(ordered, {}, &Sample::host_time);
        json stack = json::array(), time = json::array(), weight = json::array(),
             used = json::array();
        std::uint64_t before = 0;
        for (const Sample* sample : ordered) {
            stack.push_back(tables.stack_of(stacks.stack(*sample)));
            time.push_back(milliseconds_since(start_, sample->host_time));
            weight.push_back(sample->weight);
            // A thread that sleeps uses no time.
            const bool is_known = !sample->is_idle();
            const std::uint64_t since = is_known && before != 0 && sample->thread_time > before
                                            ? sample->thread_time - before
                                            : 0;
            if (is_known) before = sample->thread_time;
            used.push_back(static_cast<double>(since) / 1e3);
        }
        return {{"length", ordered.size()}, {"stack", std::move(stack)},
                {"time", std::move(time)},  {"weight", std::move(weight)},
                {"weightType", "samples"},  {"threadCPUDelta", std::move(used)}};
    }

    json markers(Strings& strings) const {
        constexpr int instant = 0, interval = 1;
        json data = json::array(), names = json::array(), starts = json::array(),
             ends = json::array(), phases = json::array(), kinds = json::array();
        for (const Marker& marker : recording_.markers) {
            if (marker.cpu != cpu_) continue;
            names.push_back(strings.index_of(marker.name));
            starts.push_back(milliseconds_since(start_, marker.host_time));
            ends.push_back(marker.duration == 0 ? json(nullptr)
                                                : json(milliseconds_since(
                                                      start_, marker.host_time + marker.duration)));
            phases.push_back(marker.duration == 0 ? instant : interval);
            kinds.push_back(1 + static_cast<int>(FrameKind::Emulator));
            data.push_back({{"type", "Text"}, {"name", marker.text}});
        }
        return {{"length", names.size()}, {"data", data},    {"name", names},
                {"startTime", starts},    {"endTime", ends}, {"phase", phases},
                {"category", kinds}};
    }

private:
    const Recording& recording_;
    unsigned cpu_;
    std::uint64_t start_;
};

double interval_of(const Settings& settings) {
    constexpr double milliseconds_per_second = 1000;
    return settings.frequency == 0
               ? 1
               : milliseconds_per_second / static_cast<double>(settings.frequency);
}

}  // namespace

std::string firefox_profile(ProfileStacks& stacks, const std::string& name) {
    const Recording& recording = stacks.recording();
    const Settings& settings = recording.settings;
    double end = 0;
    for (const Sample& sample : recording.samples)
        end = std::max(end, milliseconds_since(settings.host_time, sample.host_time));
    json threads = json::array();
    Strings strings;
    // It refers to the functions, which come as stacks are made.
    Tables tables{stacks.functions()};
    const auto add_thread = [&](unsigned cpu, const std::string& thread_name) {
        const Thread thread{recording, cpu, settings.host_time};
        threads.push_back({{"name", thread_name},
                           {"isMainThread", cpu == 0},
                           {"processName", name},
                           {"processType", "default"},
                           {"processStartupTime", 0},
                           {"processShutdownTime", end},
                           {"registerTime", 0},
                           {"unregisterTime", end},
                           {"pausedRanges", json::array()},
                           {"showMarkersInTimeline", true},
                           {"pid", "0"},
                           {"tid", cpu},
                           {"samples", thread.samples(stacks, tables)},
                           {"markers", thread.markers(strings)}});
    };
    for (unsigned cpu = 0; cpu < settings.cpus; ++cpu)
        add_thread(cpu, "cpu" + std::to_string(cpu));
    if (std::ranges::find(recording.markers, Marker::of_no_cpu, &Marker::cpu) !=
        recording.markers.end())
        add_thread(Marker::of_no_cpu, "devices");
    json profile;
    profile["meta"] = {
        {"version", gecko_version},
        {"preprocessedProfileVersion", format_version},
        {"product", name},
        {"importedFrom", "Backplane"},
        {"startTime", settings.started},
        {"interval", interval_of(settings)},
        {"processType", 0},
        {"stackwalk", 1},
        {"debug", false},
        {"symbolicated", true},
        {"categories", categories()},
        {"markerSchema",
         {{{"name", "Text"},
           {"tooltipLabel", "{marker.name}"},
           {"tableLabel", "{marker.name}: {marker.data.name}"},
           {"display", {"marker-chart", "marker-table", "timeline-overview"}},
           {"fields", {{{"key", "name"}, {"label", "Details"}, {"format", "string"}}}}}}},
        {"sampleUnits", {{"time", "ms"}, {"eventDelay", "ms"}, {"threadCPUDelta", "µs"}}},
        {"usesOnlyOneStackType", true},
        {"sourceCodeIsNotOnSearchfox", true},
        {"keepProfileThreadOrder", true},
        {"extensions",
         {{"length", 0},
          {"baseURL", json::array()},
          {"id", json::array()},
          {"name", json::array()}}}};
    profile["libs"] = json::array();
    profile["pages"] = json::array();
    profile["counters"] = json::array();
    profile["shared"] = tables.shared(strings);
    profile["threads"] = std::move(threads);
    return profile.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace backplane::profile
