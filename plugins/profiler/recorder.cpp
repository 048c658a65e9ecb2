#include "recorder.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace backplane::profiler {

std::expected<void, std::string> Recorder::start(const std::filesystem::path& file,
                                                 const profile::Settings& settings, Report report) {
    path_ = file;
    report_ = std::move(report);
    writer_ = profile::RecordingWriter{settings};
    // O_NONBLOCK: opening a named pipe without a reader fails instead of waiting for one.
    file_ = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                 0666);
    if (file_ < 0)
        return std::unexpected{"cannot open \"" + file.string() +
                               "\" for writing: " + std::strerror(errno)};
    if (const int error = write(writer_.take()); error != 0) {
        close(std::exchange(file_, -1));
        return std::unexpected{"cannot write to \"" + file.string() +
                               "\": " + std::strerror(error)};
    }
    thread_ = std::thread{[this] { write_all(); }};
    return {};
}

void Recorder::add(Batch batch) {
    if (batch.is_empty()) return;
    {
        const std::lock_guard lock{mutex_};
        if (waiting_.size() == most_waiting) {
            lost_ += batch.samples.size();
            return;
        }
        waiting_.push_back(std::move(batch));
    }
    has_work_.notify_one();
}

void Recorder::stop() {
    if (!thread_.joinable()) return;
    {
        const std::lock_guard lock{mutex_};
        is_over_ = true;
    }
    has_work_.notify_one();
    thread_.join();
    close(std::exchange(file_, -1));
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
        writer_.end(lost_);
        if (const int error = write(writer_.take()); error != 0) give_up(error);
        return;
    }
}

void Recorder::write(const Batch& batch) {
    if (has_failed_) {
        lost_ += batch.samples.size();
        return;
    }
    writer_.add(batch.samples);
    writer_.add(batch.code);
    writer_.add(batch.blocks);
    writer_.add(batch.markers);
    const int error = write(writer_.take());
    if (error == 0) return;
    lost_ += batch.samples.size();
    give_up(error);
}

int Recorder::write(const std::string& bytes) {
    std::string_view rest = bytes;
    while (!rest.empty()) {
        const ssize_t count = ::write(file_, rest.data(), rest.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno;
        rest.remove_prefix(static_cast<std::size_t>(count));
        bytes_ += static_cast<std::uint64_t>(count);
    }
    return 0;
}

void Recorder::give_up(int error) {
    has_failed_ = true;
    report_("cannot write to \"" + path_.string() + "\": " + std::strerror(error) +
            "; samples are lost from here on");
}

}  // namespace backplane::profiler
