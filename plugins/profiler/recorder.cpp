#include "recorder.h"

#include <pthread.h>

#include <utility>

namespace backplane::profiler {

std::expected<void, std::string> Recorder::start(const std::filesystem::path& file,
                                                 const profile::Settings& settings, Report report) {
    report_ = std::move(report);
    writer_ = profile::RecordingWriter{settings};
    if (auto opened = file_.open(file); !opened) return opened;
    if (auto written = file_.write(writer_.take()); !written) {
        file_.close();
        return written;
    }
    thread_ = std::thread{[this] { write_all(); }};
    return {};
}

void Recorder::add(Batch batch) {
    if (batch.is_empty()) return;
    {
        const std::lock_guard lock{mutex_};
        if (waiting_.size() == most_waiting) {
            lose(batch);
            return;
        }
        waiting_.push_back(std::move(batch));
    }
    has_work_.notify_one();
}

void Recorder::stop(std::uint64_t lost_markers) {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{mutex_};
        is_over_ = true;
        lost_before_ = lost_markers;
    }
    has_work_.notify_one();
    thread_.join();
    file_.close();
}

void Recorder::write_all() {
    pthread_setname_np(pthread_self(), "profile-write");
    for (;;) {
        std::deque<Batch> batches;
        bool is_over = false;
        {
            std::unique_lock lock{mutex_};
            has_work_.wait(lock, [this] { return is_over_ || !waiting_.empty(); });
            batches.swap(waiting_);
            is_over = is_over_;
        }
        for (const Batch& batch : batches)
            write(batch);
        if (!is_over) continue;
        if (has_failed_) return;
        writer_.end(lost_, lost_before_ + lost_markers_);
        if (const auto written = file_.write(writer_.take()); !written) give_up(written.error());
        return;
    }
}

void Recorder::write(const Batch& batch) {
    if (has_failed_) return lose(batch);
    writer_.add(batch.samples);
    writer_.add(batch.code);
    writer_.add(batch.blocks);
    writer_.add(batch.markers);
    const auto written = file_.write(writer_.take());
    if (written) return;
    lose(batch);
    give_up(written.error());
}

void Recorder::lose(const Batch& batch) {
    lost_ += batch.samples.size();
    lost_markers_ += batch.markers.size();
}

void Recorder::give_up(const std::string& error) {
    has_failed_ = true;
    report_(error + "; samples are lost from here on");
}

}  // namespace backplane::profiler
