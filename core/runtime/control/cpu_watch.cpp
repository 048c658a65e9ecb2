#include "runtime/control/cpu_watch.h"

#include <pthread.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace backplane::runtime::control {

namespace {

// Often enough that a few seconds tell shares to a percent, and rarely enough that nobody notices.
constexpr std::chrono::nanoseconds shortest_period{4'000'000};
constexpr std::size_t cpus_at_that = 4;
// Nobody looks any more.
constexpr std::chrono::seconds patience{3};
constexpr std::size_t most_entries = 16'384;

std::optional<std::uint32_t> profile_port(const backplane_device_type& type) {
    for (std::uint32_t port = 0; port < type.port_count; ++port)
        if (type.ports[port].role == BACKPLANE_PROVIDES &&
            std::strcmp(type.ports[port].interface_id, BACKPLANE_CPU_PROFILE) == 0)
            return port;
    return std::nullopt;
}

}  // namespace

CpuWatch::~CpuWatch() {
    {
        const std::lock_guard lock{mutex_};
        is_over_ = true;
    }
    over_.notify_all();
    if (thread_.joinable()) thread_.join();
    detach_all();
}

CpuWatch::Findings CpuWatch::take(std::uint64_t since) {
    attach();
    const std::lock_guard lock{mutex_};
    asked_ = Clock::now();
    Findings findings{
        .why = why_, .next = next_, .lost = 0, .idle = idle_, .period = period_, .places = {}};
    const std::uint64_t first = next_ - entries_.size();
    // A number of another run's tells nothing here.
    if (since > next_) since = next_;
    if (since < first) findings.lost = first - since;
    for (std::uint64_t number = std::max(since, first); number < next_; ++number) {
        const Entry& entry = entries_[number - first];
        const auto [known, is_new] = findings.places.try_emplace(entry.place, entry.seen);
        if (!is_new) known->second.samples += entry.seen.samples;
    }
    return findings;
}

void CpuWatch::attach() {
    const std::lock_guard one_at_a_time{attaching_};
    {
        const std::lock_guard lock{mutex_};
        asked_ = Clock::now();
        if (is_attached_ || is_over_) return;
    }
    if (thread_.joinable()) thread_.join();
    const bool done = machine_.control().call([this] {
        const MachineGuard guard{machine_.lock()};
        attach_all();
    });
    const std::lock_guard lock{mutex_};
    if (!done) why_ = "the run is over";
    is_attached_ = done && why_.empty();
    if (is_attached_) thread_ = std::thread{[this] { sample_until_nobody_asks(); }};
}

void CpuWatch::attach_all() {
    why_.clear();
    sinks_.clear();
    std::uint32_t number = 0;
    for (const auto& cpu : machine_.cpus()) {
        Component& component = cpu->component();
        const auto port = profile_port(component.type());
        if (!port) {
            why_ = component.name() + " cannot be sampled";
            break;
        }
        Sink& sink = sinks_.emplace_back(
            Sink{.watch = *this, .number = number++, .cpu = Cpu{component.provide(*port, 0)}});
        sink.profiler = {.struct_size = sizeof sink.profiler,
                         .reserved = 0,
                         .user = &sink,
                         .sample = [](void* user, const backplane_cpu_sample* sample) {
                             const Sink& self = *static_cast<Sink*>(user);
                             self.watch.took(self, *sample);
                         }};
        sink.is_attached = sink.cpu.call<&backplane_cpu_profile::attach>(&sink.profiler) != 0;
        if (!sink.is_attached) {
            why_ = component.name() + " has another profiler";
            break;
        }
    }
    if (!why_.empty()) return detach_all();
    const std::size_t times = (sinks_.size() + cpus_at_that - 1) / cpus_at_that;
    period_ = shortest_period * std::max<std::size_t>(times, 1);
}

void CpuWatch::detach_all() {
    for (Sink& sink : sinks_)
        if (std::exchange(sink.is_attached, false)) sink.cpu.call<&backplane_cpu_profile::detach>();
}

void CpuWatch::sample_until_nobody_asks() {
    pthread_setname_np(pthread_self(), "control-sample");
    Clock::time_point next = Clock::now();
    std::unique_lock lock{mutex_};
    while (Clock::now() - asked_ < patience) {
        next = std::max(next + period_, Clock::now());
        if (over_.wait_until(lock, next, [this] { return is_over_; })) return;
        lock.unlock();
        for (Sink& sink : sinks_)
            if (sink.cpu.call<&backplane_cpu_profile::request_sample>() == 0) ++idle_;
        lock.lock();
    }
    lock.unlock();
    // Where the run is over already, whoever ends this detaches.
    (void)machine_.control().call([this] {
        const MachineGuard guard{machine_.lock()};
        detach_all();
    });
    lock.lock();
    is_attached_ = false;
}

void CpuWatch::took(const Sink& sink, const backplane_cpu_sample& sample) {
    constexpr std::uint8_t user = 3;
    Entry entry{.place = {.pc = sample.pc,
                          // All programs share the kernel.
                          .address_space = sample.privilege == user ? sample.address_space : 0,
                          .cpu = sink.number,
                          .activity = sample.activity,
                          .tier = sample.tier,
                          .privilege = sample.privilege,
                          .code_size = sample.code_size},
                .seen = {}};
    // Requests that the host kept waiting say nothing about the guest, unless the CPU waited
    // itself.
    const bool waits = sample.activity == BACKPLANE_CPU_DEVICE ||
                       sample.activity == BACKPLANE_CPU_WAITING;
    entry.seen.samples = waits ? std::max<std::uint32_t>(sample.requests, 1) : 1;
    entry.seen.code_length = sink.cpu.call<&backplane_cpu_profile::read_memory>(
        sample.pc, static_cast<void*>(entry.seen.code.data()), std::uint64_t{code_bytes});
    const std::lock_guard lock{mutex_};
    entries_.push_back(entry);
    ++next_;
    if (entries_.size() > most_entries) entries_.pop_front();
}

}  // namespace backplane::runtime::control
