#include "sampling_profiler.h"

#include <backplane/thunk.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <ranges>
#include <utility>

namespace backplane::profiler {

using profile::Activity;
using namespace std::chrono_literals;

namespace {

// A recording lacks at most so much when its program is killed.
constexpr auto longest_wait = 1s;
// Between hand-overs, where the processors count themselves.
constexpr auto counted_period = 50ms;
constexpr std::size_t most_cpus = 255;

constexpr backplane_report reports[]{{.struct_size = sizeof(backplane_report),
                                      .reserved = 0,
                                      .name = "hot-blocks",
                                      .argument = "COUNT",
                                      .doc = "Where most instructions were executed: addresses of "
                                             "blocks, or of samples when blocks are not counted"}};

std::vector<std::string> list_of(const std::string& text) {
    std::vector<std::string> list;
    for (const auto part : std::views::split(text, ','))
        if (!part.empty()) list.emplace_back(part.begin(), part.end());
    return list;
}

}  // namespace

void SamplingProfiler::declare(Declaration<SamplingProfiler>& d) {
    using namespace literals;
    d.type("profiler.sampling", "Records where the guest's processors are");
    d.property("file", &SamplingProfiler::file_, "The recording, which `backplane profile` reads")
        .required();
    d.property("frequency", &SamplingProfiler::frequency_, "Samples a second of each processor")
        .range(1_Hz, 20_kHz);
    d.property("instructions", &SamplingProfiler::instructions_,
               "A sample every so many retired instructions instead, the same ones in each run of "
               "a deterministic machine; 0: by time");
    d.property("flush-samples", &SamplingProfiler::flush_samples_,
               "Samples that are kept in memory before they are written; they are once a second, "
               "too")
        .range(1u, 10'000'000u);
    d.property("callers", &SamplingProfiler::callers_,
               "Return addresses that are recorded of a stack at most; 0: no stacks")
        .range(0u, 1000u);
    d.property("hot-blocks", &SamplingProfiler::hot_block_count_,
               "Hot blocks that are told apart, by Space-Saving; 0: none")
        .range(0u, 1'000'000u);
    d.property("count-blocks", &SamplingProfiler::counts_blocks_,
               "Count how often each block is executed, exactly; nothing is compiled then");
    d.property("mark-compiles", &SamplingProfiler::marks_compiles_,
               "Record when blocks are compiled, too");
    d.property("mark-interrupts", &SamplingProfiler::marks_interrupts_,
               "Record interrupts, and how long their handlers take");
    d.property("mark-page-faults", &SamplingProfiler::marks_page_faults_, "Record page faults");
    d.property("mark-disks", &SamplingProfiler::marks_disks_,
               "Record requests to disk images, and how long they take");
    d.property("most-markers", &SamplingProfiler::most_markers_,
               "How many of all these are recorded; those that come later are lost");
    d.property("kernel-symbols", &SamplingProfiler::kernel_symbols_,
               "The guest kernel's System.map, /proc/kallsyms or ELF file, for whoever reads the "
               "recording");
    d.property("user-symbols", &SamplingProfiler::user_symbols_,
               "ELF files or perf maps of programs in the guest, each FILE or FILE@OFFSET, "
               "separated by commas; likewise");
    d.connects_all("cpus", [](SamplingProfiler& p) -> auto& { return p.cpus_; }, "The processors");
    d.connects("memory", &SamplingProfiler::memory_,
               "Where the code of blocks that are counted is read", Optional::Yes, "memory");
    const auto samples = [&](const char* name, Activity activity, const char* doc) {
        d.counter(
            name, [activity](SamplingProfiler& p) { return p.taken(activity); }, "samples", doc);
    };
    samples("samples.idle", Activity::Idle, "The processor had nothing to execute");
    samples("samples.interpreter", Activity::Interpreter, "Executing in an interpreter");
    samples("samples.compiled_code", Activity::CompiledCode, "Executing compiled code");
    samples("samples.memory", Activity::Memory, "Finding out what a linear address is");
    samples("samples.device", Activity::Device, "In an access to a device");
    samples("samples.compiler", Activity::Compiler, "Looking for, decoding or compiling code");
    samples("samples.waiting", Activity::Waiting, "Waiting for other processors");
    d.counter(
        "samples.exact", [](SamplingProfiler& p) { return p.counts_.exact.load(); }, "samples",
        "Of all these, those of the very instruction that was being executed");
    d.counter(
        "samples.stolen", [](SamplingProfiler& p) { return p.counts_.stolen.load(); }, "samples",
        "That were due while the host let other threads run");
    d.counter(
        "samples.lost", [](SamplingProfiler& p) { return p.recorder_.lost(); }, "samples",
        "That could not be written");
    d.counter(
        "markers.lost", [](SamplingProfiler& p) { return p.lost_markers(); }, "markers",
        "That were too many, or could not be written");
    d.counter(
        "recorded", [](SamplingProfiler& p) { return p.recorder_.bytes(); }, "bytes",
        "In the recording's file");
    static constexpr backplane_reports functions{
        sizeof(backplane_reports), 0, thunk<&SamplingProfiler::report_count>,
        thunk<&SamplingProfiler::describe_report>, thunk<&SamplingProfiler::write_report>};
    d.provides("reports", functions, "What was found so far, as text");
}

Outcome SamplingProfiler::start() {
    if (cpus_.empty()) return std::unexpected{"cpus: name the processors to profile"};
    if (cpus_.size() > most_cpus) return std::unexpected{"cpus: 255 processors at most"};
    hot_blocks_ = HotBlocks{hot_block_count_};
    const auto steady = SamplingThread::Clock::now().time_since_epoch();
    const auto date = std::chrono::system_clock::now().time_since_epoch();
    profile::Settings settings{
        .frequency = instructions_ == 0 ? frequency_.value : 0,
        .instructions = instructions_,
        .cpus = static_cast<std::uint32_t>(cpus_.size()),
        .started = std::chrono::duration_cast<std::chrono::milliseconds>(date).count(),
        .host_time = static_cast<std::uint64_t>(
            std::chrono::duration_cast<std::chrono::nanoseconds>(steady).count()),
        .kernel_symbols = kernel_symbols_.string(),
        .user_symbols = list_of(user_symbols_)};
    const auto report = [this](const std::string& text) { log(LogLevel::Error, text); };
    if (auto opened = recorder_.start(file_, settings, report); !opened)
        return std::unexpected{"file: " + opened.error()};
    const auto period = static_cast<std::uint64_t>(frequency_.span(1).count());
    for (const auto& cpu : cpus_) {
        auto& sampler = samplers_.emplace_back(cpu, static_cast<std::uint8_t>(samplers_.size()),
                                               CpuSamplerOptions{.instructions = instructions_,
                                                                 .period = period,
                                                                 .counts_blocks = counts_blocks_,
                                                                 .callers = callers_,
                                                                 .memory = memory_},
                                               counts_);
        if (auto attached = sampler.attach(); !attached) {
            stop();
            return attached;
        }
    }
    if (marks_compiles_) compiles_.start(host());
    events_.start(host(), cpu_names(),
                  {.interrupts = marks_interrupts_,
                   .page_faults = marks_page_faults_,
                   .disks = marks_disks_,
                   .most = most_markers_});
    handed_over_ = SamplingThread::Clock::now();
    thread_.start(instructions_ != 0 ? counted_period : Duration{frequency_.span(1)},
                  [this](SamplingThread::Clock::time_point now) { tick(now); });
    return {};
}

void SamplingProfiler::stop() {
    thread_.stop();
    const std::uint64_t now = event_host_time();
    events_.stop(now);
    take_markers(now);
    recorder_.add(std::exchange(markers_, {}));
    for (CpuSampler& sampler : samplers_)
        sampler.detach();
    hand_over();
    recorder_.stop(events_.lost() + compiles_.lost());
    compiles_.stop();
    samplers_.clear();
}

void SamplingProfiler::tick(SamplingThread::Clock::time_point now) {
    const auto host_time =
        std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count();
    if (instructions_ == 0)
        for (CpuSampler& sampler : samplers_)
            sampler.tick(static_cast<std::uint64_t>(host_time));
    take_markers(static_cast<std::uint64_t>(host_time));
    if (counts_.waiting <= flush_samples_ && now - handed_over_ < longest_wait) return;
    handed_over_ = now;
    hand_over();
    recorder_.add(std::exchange(markers_, {}));
}

void SamplingProfiler::take_markers(std::uint64_t host_time) {
    for (profile::Marker& marker : compiles_.take(host_time))
        events_.add(std::move(marker));
    for (profile::Marker& marker : events_.take())
        markers_.markers.push_back(std::move(marker));
}

std::vector<std::string> SamplingProfiler::cpu_names() const {
    std::vector<std::string> names;
    for (const auto& cpu : cpus_)
        names.emplace_back(cpu.has<&backplane_cpu_profile::name>()
                               ? cpu.call<&backplane_cpu_profile::name>()
                               : "");
    return names;
}

void SamplingProfiler::hand_over() {
    for (CpuSampler& sampler : samplers_) {
        Batch batch = sampler.take();
        note_hot_blocks(batch);
        recorder_.add(std::move(batch));
    }
}

// Blocks by their instructions where they are counted, and samples by their weight otherwise.
void SamplingProfiler::note_hot_blocks(const Batch& batch) {
    const std::lock_guard lock{hot_mutex_};
    if (counts_blocks_) {
        for (const profile::BlockCount& block : batch.blocks)
            hot_blocks_.add(block.pc, block.hits, block.instructions);
        return;
    }
    for (const profile::Sample& sample : batch.samples)
        if (!sample.is_idle()) hot_blocks_.add(sample.pc, 1, sample.weight);
}

// ---- Reports ----

std::uint32_t SamplingProfiler::report_count() { return std::size(reports); }

const backplane_report* SamplingProfiler::describe_report(std::uint32_t index) {
    return index < std::size(reports) ? &reports[index] : nullptr;
}

std::string SamplingProfiler::hot_blocks_text(std::size_t count) {
    hand_over();
    const std::lock_guard lock{hot_mutex_};
    std::string text = counts_blocks_ ? "address             hits              instructions\n"
                                      : "address             samples\n";
    for (const auto& entry : hot_blocks_.heaviest(count)) {
        const double percent = hot_blocks_.total() == 0
                                   ? 0
                                   : 100.0 * static_cast<double>(entry.weight) /
                                         static_cast<double>(hot_blocks_.total());
        text += fmt::format("{:#018x}  ", entry.key);
        if (counts_blocks_) text += fmt::format("{:<16}  ", entry.hits);
        text += fmt::format("{:<16}  {:5.2f} %", entry.weight, percent);
        if (entry.error != 0) text += fmt::format("  ({} too many at most)", entry.error);
        text += '\n';
    }
    return text;
}

backplane_status SamplingProfiler::write_report(std::uint32_t, const char* argument,
                                                void (*take)(void*, const char*, std::uint64_t),
                                                void* user) {
    std::size_t count = 20;
    const char* end = argument + std::strlen(argument);
    const auto [rest, error] = std::from_chars(argument, end, count);
    const bool is_wrong = argument != end && (error != std::errc{} || rest != end);
    const std::string text = is_wrong
                                 ? fmt::format("\"{}\": a number of blocks was expected", argument)
                                 : hot_blocks_text(count);
    take(user, text.data(), text.size());
    return is_wrong ? BACKPLANE_FAILED : BACKPLANE_OK;
}

}  // namespace backplane::profiler
