#include "trace_writer.h"

#include <backplane/machine_events.h>

#include <pthread.h>

#include <chrono>
#include <utility>

namespace backplane::profiler {

namespace {

// A file lacks at most so much when its program is killed.
constexpr std::chrono::milliseconds longest_wait{1000};

}  // namespace

std::expected<void, std::string> TraceWriter::start(const std::filesystem::path& path,
                                                    std::uint64_t host_time, std::uint64_t limit,
                                                    Report report) {
    limit_ = limit;
    report_ = std::move(report);
    json_.emplace(host_time);
    if (auto opened = file_.open(path); !opened) return opened;
    const std::string head = TraceJson::head();
    length_ = head.size();
    if (auto written = file_.write(head); !written) return written;
    thread_ = std::thread{[this] { write_all(); }};
    return {};
}

void TraceWriter::stop() {
    if (!thread_.joinable()) return;
    ring_.end();
    thread_.join();
}

void TraceWriter::write_all() {
    pthread_setname_np(pthread_self(), "trace-write");
    for (bool is_over = false; !is_over;) {
        const TraceRing::Batch batch = ring_.take(longest_wait);
        is_over = batch.is_last;
        write(batch);
    }
    if (has_failed_) return;
    if (put(TraceJson::tail(ring_.taken(), ring_.dropped())))
        if (const auto closed = file_.close(); !closed) give_up(closed.error());
}

// Pieces of some size, so that little is lost where the disk becomes full.
void TraceWriter::write(const TraceRing::Batch& batch) {
    constexpr std::size_t piece = 256 << 10;
    std::string text;
    std::size_t written = 0;
    for (std::size_t i = 0; i < batch.events.size() && !is_full_ && !has_failed_; ++i) {
        json_->add(batch.events[i], text);
        if (length_ + text.size() >= limit_) is_full_ = true;
        if (text.size() < piece && !is_full_) continue;
        if (put(std::exchange(text, {}))) written = i + 1;
    }
    if (!text.empty() && put(text)) written = batch.events.size();
    if (is_full_ && !has_failed_) {
        ring_.refuse();
        if (report_)
            std::exchange(report_, {})("the file has reached its limit; nothing more is traced");
    }
    if (written != batch.events.size()) ring_.drop(batch.events, written);
    if (has_failed_) return;
    if (batch.dropped == told_dropped_) return;
    told_dropped_ = batch.dropped;
    std::string dropped;
    json_->add_dropped(event_host_time(), batch.dropped, dropped);
    // Once more at the end is enough.
    if (!is_full_) put(dropped);
}

bool TraceWriter::put(const std::string& text) {
    if (has_failed_) return false;
    if (const auto done = file_.write(text); !done) {
        give_up(done.error());
        return false;
    }
    length_ += text.size();
    return true;
}

void TraceWriter::give_up(const std::string& why) {
    has_failed_ = true;
    ring_.refuse();
    if (report_) std::exchange(report_, {})(why + "; events are lost from here on");
}

}  // namespace backplane::profiler
