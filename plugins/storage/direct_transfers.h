// The commands of a SATA disk whose data goes straight between the image and memory that the
// controller lends: any number of queued ones and one that is not queued, all at once. When the
// image refuses a piece it is tried again sector by sector, so that the host learns which it was.
#pragma once

#include <backplane/abi/sata.h>
#include <backplane/block.h>
#include <backplane/timer.h>

#include <array>
#include <cstdint>
#include <string>

namespace backplane::storage {

class DirectTransfers {
public:
    static constexpr unsigned slots = BACKPLANE_SATA_TAGS + 1;  // the last: not queued
    static constexpr std::uint32_t sector_size = 512;

    enum class Direction : std::uint8_t { ToHost, FromHost };

    struct Work {
        Direction direction = Direction::ToHost;
        bool forced = false;  // to stable storage at once
        std::uint64_t sector = 0;
        std::uint32_t count = 0;
    };

    // Where a transfer ended that failed.
    struct Failure {
        BlockResult result;
        std::uint64_t sector;
        std::uint32_t left;
    };

    // Who hears of the ends; may start others from within.
    class Owner {
    public:
        virtual void transfer_done(unsigned slot) = 0;
        virtual void transfer_failed(unsigned slot, const Failure& failure) = 0;
        // After stop(), where something was in progress.
        virtual void transfers_stopped() = 0;
        virtual void sectors_moved(Direction direction, std::uint32_t count) = 0;

    protected:
        ~Owner() = default;
    };

    void connect(Owner& owner, const backplane_sata_host& host, const BlockDevice& image,
                 const backplane_host& clock, Duration access_time);

    void start(unsigned slot, const Work& work);
    // Bits of the queued ones that are not done.
    std::uint32_t queued() const;
    // What is not submitted to the image never will be. True: nothing was, else Owner hears when
    // that is done.
    bool stop();
    Direction direction(unsigned slot) const { return directions_[slot]; }
    bool is_stopping() const { return is_stopping_; }
    // Forgets all, at once. Not from within a completion of the image.
    void cancel();
    // Keeps all, but their data moves no more. Not from within a completion of the image.
    void halt();
    void restored();
    void access_time_over();

    Timer& timer() { return timer_; }

    template <class T, class Declaration, class Accessor>
    static void declare_saved(Declaration& d, Accessor transfers);

private:
    enum class State : std::uint8_t {
        Free,
        Waiting,    // for the medium: the drive's access time
        Submitted,  // to the image
        Stalled     // nothing moves any more
    };

    // For completions of the image.
    struct Request {
        DirectTransfers* transfers = nullptr;
        unsigned slot = 0;
        bool is_pending = false, is_abandoned = false;
        std::uint64_t length = 0;
    };

    static void complete(void* request, std::int32_t result) noexcept;
    BlockResult submit(unsigned slot);
    void run(unsigned slot);
    bool take_result(unsigned slot, BlockResult result);
    void go_on(unsigned slot, BlockResult result);
    void start_timer();
    void abandon();
    void resubmit();
    bool is_in_flight() const;

    Owner* owner_ = nullptr;
    const backplane_sata_host* host_ = nullptr;
    const BlockDevice* image_ = nullptr;
    const backplane_host* clock_ = nullptr;
    Duration access_time_{0};
    Timer timer_;
    std::array<Request, slots> requests_;

    bool is_stopping_ = false;
    std::array<State, slots> states_{};
    std::array<Direction, slots> directions_{};
    std::array<bool, slots> forced_{};
    std::array<bool, slots> is_single_{};
    std::array<std::uint64_t, slots> sectors_{};  // that is next
    std::array<std::uint32_t, slots> left_{};
    std::array<std::uint64_t, slots> moved_{};  // bytes
    std::array<Duration, slots> due_{};         // of Waiting
};

template <class T, class Declaration, class Accessor>
void DirectTransfers::declare_saved(Declaration& d, Accessor transfers) {
    d.saved("transfers.stopping", [=](T& t) -> auto& { return transfers(t).is_stopping_; });
    d.saved("transfers.state", [=](T& t) -> auto& { return transfers(t).states_; });
    d.saved("transfers.direction", [=](T& t) -> auto& { return transfers(t).directions_; });
    d.saved("transfers.forced", [=](T& t) -> auto& { return transfers(t).forced_; });
    d.saved("transfers.single", [=](T& t) -> auto& { return transfers(t).is_single_; });
    d.saved("transfers.sector", [=](T& t) -> auto& { return transfers(t).sectors_; });
    d.saved("transfers.left", [=](T& t) -> auto& { return transfers(t).left_; });
    d.saved("transfers.moved", [=](T& t) -> auto& { return transfers(t).moved_; });
    d.saved("transfers.due", [=](T& t) -> auto& { return transfers(t).due_; });
}

}  // namespace backplane::storage
