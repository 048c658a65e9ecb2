#include "io_ring.h"

#if BACKPLANE_HAS_IO_URING

#include <liburing.h>

#include <cerrno>
#include <cstdint>
#include <utility>

namespace backplane::storage {

namespace {

class KernelRing final : public IoRing {
public:
    static constexpr unsigned entries = 64;

    KernelRing() = default;
    KernelRing(const KernelRing&) = delete;
    KernelRing& operator=(const KernelRing&) = delete;
    ~KernelRing() override {
        if (is_open_) io_uring_queue_exit(&ring_);
    }

    bool open(int event) {
        is_open_ = io_uring_queue_init(entries, &ring_, 0) == 0;
        return is_open_ && io_uring_register_eventfd(&ring_, event) == 0;
    }

    bool start(Direction direction, images::FileTask& task, Done done) override {
        io_uring_sqe* request = pending_ < entries ? io_uring_get_sqe(&ring_) : nullptr;
        if (request == nullptr) return false;
        auto entry = std::make_unique<Entry>(std::move(task), std::move(done));
        const images::FileTask& kept = entry->task;
        const auto count = static_cast<unsigned>(kept.segments.size());
        if (direction == Direction::Read)
            io_uring_prep_readv(request, kept.fd, kept.segments.data(), count, kept.offset);
        else
            io_uring_prep_writev(request, kept.fd, kept.segments.data(), count, kept.offset);
        io_uring_sqe_set_data(request, entry.get());
        if (io_uring_submit(&ring_) < 1) {
            // It goes with the next one, as nothing.
            io_uring_prep_nop(request);
            io_uring_sqe_set_data(request, nullptr);
            task = std::move(entry->task);
            return false;
        }
        (void)entry.release();
        ++pending_;
        return true;
    }

    void deliver() override {
        io_uring_cqe* completion = nullptr;
        while (io_uring_peek_cqe(&ring_, &completion) == 0)
            take(completion);
    }

    void finish_all() override {
        io_uring_cqe* completion = nullptr;
        while (pending_ != 0) {
            const int error = io_uring_wait_cqe(&ring_, &completion);
            if (error == 0) take(completion);
            if (error != 0 && error != -EINTR) return;
        }
    }

private:
    struct Entry {
        images::FileTask task;
        Done done;
    };

    void take(io_uring_cqe* completion) {
        const std::unique_ptr<Entry> entry{static_cast<Entry*>(io_uring_cqe_get_data(completion))};
        const int result = completion->res;
        io_uring_cqe_seen(&ring_, completion);
        if (entry == nullptr) return;
        --pending_;
        int error = result < 0 ? -result : EAGAIN;
        if (result >= 0 &&
            static_cast<std::uint64_t>(result) == images::total(entry->task.segments))
            error = 0;
        if (entry->task.finish) error = entry->task.finish(error);
        entry->done(error);
    }

    io_uring ring_{};
    bool is_open_ = false;
    unsigned pending_ = 0;
};

}  // namespace

std::unique_ptr<IoRing> IoRing::open(int event) {
    auto ring = std::make_unique<KernelRing>();
    return ring->open(event) ? std::move(ring) : nullptr;
}

}  // namespace backplane::storage

#else

namespace backplane::storage {

std::unique_ptr<IoRing> IoRing::open(int) { return nullptr; }

}  // namespace backplane::storage

#endif
