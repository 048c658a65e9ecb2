#include "direct_transfers.h"

#include <algorithm>

namespace backplane::storage {

void DirectTransfers::connect(Owner& owner, const backplane_sata_host& host,
                              const BlockDevice& image, const backplane_host& clock,
                              Duration access_time) {
    owner_ = &owner;
    host_ = &host;
    image_ = &image;
    clock_ = &clock;
    access_time_ = access_time;
    for (unsigned slot = 0; slot < slots; ++slot)
        requests_[slot] = {.transfers = this, .slot = slot};
}

void DirectTransfers::start(unsigned slot, const Work& work) {
    directions_[slot] = work.direction;
    forced_[slot] = work.forced;
    is_single_[slot] = false;
    sectors_[slot] = work.sector;
    left_[slot] = work.count;
    moved_[slot] = 0;
    if (is_stopping_) {
        states_[slot] = State::Stalled;
        return;
    }
    if (access_time_ == Duration{0}) return run(slot);
    states_[slot] = State::Waiting;
    due_[slot] = Duration{static_cast<std::int64_t>(clock_->now(clock_->context))} + access_time_;
    start_timer();
}

std::uint32_t DirectTransfers::queued() const {
    std::uint32_t tags = 0;
    for (unsigned slot = 0; slot < BACKPLANE_SATA_TAGS; ++slot)
        if (states_[slot] != State::Free) tags |= 1u << slot;
    return tags;
}

bool DirectTransfers::is_in_flight() const {
    return std::ranges::find(states_, State::Submitted) != states_.end();
}

bool DirectTransfers::stop() {
    for (State& state : states_)
        if (state == State::Waiting) state = State::Stalled;
    timer_.stop();
    is_stopping_ = is_in_flight();
    return !is_stopping_;
}

void DirectTransfers::cancel() {
    abandon();
    states_ = {};
    is_stopping_ = false;
    timer_.stop();
}

void DirectTransfers::halt() {
    abandon();
    for (State& state : states_)
        if (state != State::Free) state = State::Stalled;
    timer_.stop();
    if (std::exchange(is_stopping_, false)) owner_->transfers_stopped();
}

// The image is done with all lent memory afterwards.
void DirectTransfers::abandon() {
    bool any = false;
    for (Request& request : requests_)
        if (request.is_pending) any = request.is_abandoned = true;
    if (any) image_->wait();
}

// What was in flight is done again, once everybody else is restored too. It may have been carried
// out before; carried out twice it gives the same.
void DirectTransfers::restored() {
    abandon();
    if (!is_in_flight()) return;
    clock_->post(
        clock_->context,
        [](void* self) noexcept { static_cast<DirectTransfers*>(self)->resubmit(); }, this);
}

void DirectTransfers::resubmit() {
    for (unsigned slot = 0; slot < slots; ++slot)
        if (states_[slot] == State::Submitted && !requests_[slot].is_pending) run(slot);
}

void DirectTransfers::start_timer() {
    const Duration none = Duration::max();
    Duration next = none;
    for (unsigned slot = 0; slot < slots; ++slot)
        if (states_[slot] == State::Waiting) next = std::min(next, due_[slot]);
    next == none ? timer_.stop() : timer_.start_at(next);
}

void DirectTransfers::access_time_over() {
    const Duration now = timer_.deadline();
    for (unsigned slot = 0; slot < slots; ++slot)
        if (states_[slot] == State::Waiting && due_[slot] <= now) run(slot);
    start_timer();
}

BlockResult DirectTransfers::submit(unsigned slot) {
    const bool to_host = directions_[slot] == Direction::ToHost;
    const std::uint64_t wanted = std::uint64_t{is_single_[slot] ? 1 : left_[slot]} * sector_size;
    backplane_sata_loan loan{};
    loan.struct_size = sizeof loan;
    states_[slot] = State::Submitted;
    if (host_->borrow(host_->user, slot, moved_[slot], wanted, std::int32_t{to_host}, &loan) == 0) {
        states_[slot] = State::Stalled;
        return BlockResult::Pending;
    }
    Request& request = requests_[slot];
    request.length = loan.length;
    request.is_abandoned = false;
    const BlockResult result = image_->submit(
        to_host ? BlockOperation::Read : BlockOperation::Write, sectors_[slot] * sector_size,
        loan.length, {loan.segments, loan.segment_count}, &complete, &request,
        forced_[slot] ? BACKPLANE_BLOCK_FORCE_ACCESS : 0);
    request.is_pending = result == BlockResult::Pending;
    return result;
}

void DirectTransfers::run(unsigned slot) { go_on(slot, submit(slot)); }

void DirectTransfers::complete(void* user, std::int32_t result) noexcept {
    auto& request = *static_cast<Request*>(user);
    DirectTransfers& transfers = *request.transfers;
    request.is_pending = false;
    if (request.is_abandoned) {
        transfers.host_->give_back(transfers.host_->user, request.slot, 0);
        return;
    }
    transfers.go_on(request.slot, static_cast<BlockResult>(result));
}

void DirectTransfers::go_on(unsigned slot, BlockResult result) {
    while (result != BlockResult::Pending && take_result(slot, result))
        result = submit(slot);
    if (is_stopping_ && !is_in_flight()) {
        is_stopping_ = false;
        owner_->transfers_stopped();
    }
}

// True: there is more to do.
bool DirectTransfers::take_result(unsigned slot, BlockResult result) {
    const std::uint64_t length = requests_[slot].length;
    const auto count = static_cast<std::uint32_t>(length / sector_size);
    const bool is_good = result == BlockResult::Ok;
    host_->give_back(host_->user, slot, is_good ? length : 0);
    if (states_[slot] != State::Submitted) return false;  // it was ended by that
    if (is_good) {
        sectors_[slot] += count;
        left_[slot] -= count;
        moved_[slot] += length;
        owner_->sectors_moved(directions_[slot], count);
        if (left_[slot] == 0) {
            states_[slot] = State::Free;
            owner_->transfer_done(slot);
            return false;
        }
    } else if (count > 1) {
        is_single_[slot] = true;
    } else {
        states_[slot] = State::Free;
        owner_->transfer_failed(slot, {result, sectors_[slot], left_[slot]});
        return false;
    }
    if (!is_stopping_) return true;
    states_[slot] = State::Stalled;
    return false;
}

}  // namespace backplane::storage
