// NVM Express 1.4, chapter 6.
#include "nvme_controller.h"
#include "nvme_identify.h"

#include <algorithm>
#include <cstring>

namespace backplane::storage::nvme {

namespace {

// What is read at once to be verified.
constexpr std::uint64_t verified_at_once = 256 << 10;

// Of Dataset Management. (6.7)
struct Range {
    std::uint32_t attributes, blocks;
    std::uint64_t first;
};
static_assert(sizeof(Range) == 16);

Task task_of(const Command& command) {
    switch (static_cast<IoOpcode>(command.opcode())) {
    case IoOpcode::Flush: return Task::Flush;
    case IoOpcode::Write: return Task::Write;
    case IoOpcode::Read: return Task::Read;
    case IoOpcode::Compare: return Task::Compare;
    case IoOpcode::WriteZeroes: return Task::WriteZeroes;
    case IoOpcode::DatasetManagement: return Task::Deallocate;
    case IoOpcode::Verify: return Task::Verify;
    default: return Task::None;
    }
}

}  // namespace

Namespace* Controller::find_namespace(std::uint32_t id) const {
    return id >= 1 && id <= namespaces_.size() ? namespaces_[id - 1].get() : nullptr;
}

Controller::Result Controller::run_io(Request& request, const Command& command) {
    request.task = task_of(command);
    request.space = find_namespace(command.namespace_id());
    if (request.task == Task::None) return Answer{Status::InvalidOpcode};
    if (command.fuse() != 0 || command.psdt() == 3) return Answer{Status::InvalidField};
    const bool is_for_all = request.task == Task::Flush && command.namespace_id() == all_namespaces;
    if (!is_for_all) {
        if (request.space == nullptr) return Answer{Status::InvalidNamespace};
        if (!request.space->is_active()) return Answer{Status::InvalidField};
    }
    if (const Status status = prepare(request, command); status != Status::Success)
        return Answer{status};
    start_task(request);
    return std::nullopt;
}

Status Controller::prepare(Request& request, const Command& command) {
    switch (request.task) {
    case Task::Flush: return Status::Success;
    case Task::Deallocate: return prepare_ranges(request, command);
    default: break;
    }
    const bool moves_data = request.task != Task::WriteZeroes && request.task != Task::Verify;
    if (moves_data && command.blocks() << request.space->block_shift() > largest_transfer)
        return Status::InvalidField;
    if (!request.space->holds(command.slba(), command.blocks())) return Status::LbaOutOfRange;
    const bool writes = request.task == Task::Write || request.task == Task::WriteZeroes;
    if (writes && request.space->is_read_only()) return Status::NamespaceIsWriteProtected;
    return moves_data ? prepare_transfer(request, command) : Status::Success;
}

Status Controller::prepare_transfer(Request& request, const Command& command) {
    const std::uint64_t length = command.blocks() << request.space->block_shift();
    const Direction direction = request.task == Task::Read ? Direction::ToGuest
                                                           : Direction::FromGuest;
    return map_data(command, length, direction, request.buffer);
}

Status Controller::prepare_ranges(Request& request, const Command& command) {
    std::vector<Range> ranges((command.cdw10() & 0xff) + 1);
    const auto bytes = std::as_writable_bytes(std::span{ranges});
    GuestBuffer buffer;
    const Status status = map_data(command, bytes.size(), Direction::FromGuest, buffer);
    if (status != Status::Success) return status;
    buffer.copy_from_guest(pci_.memory(), bytes);
    constexpr std::uint32_t deallocate = 4;
    // The other attributes are hints.
    if ((command.cdw11() & deallocate) == 0) return Status::Success;
    for (const Range& range : ranges)
        if (!request.space->holds(range.first, range.blocks)) return Status::LbaOutOfRange;
    if (request.space->is_read_only()) return Status::NamespaceIsWriteProtected;
    if (!request.space->can_discard()) return Status::Success;
    for (const Range& range : ranges)
        if (range.blocks != 0) request.ranges.push_back({range.first, range.blocks});
    return Status::Success;
}

Status Controller::map_data(const Command& command, std::uint64_t length, Direction direction,
                            GuestBuffer& buffer) const {
    if (command.psdt() != 0) return add_sgl(pci_.memory(), command, length, direction, buffer);
    return add_prps(pci_.memory(), command.prp1(), command.prp2(), length, CC::page_shift(cc_),
                    buffer);
}

void Controller::start_task(Request& request) {
    request.step = 0;
    advance(request, BlockResult::Ok);
}

// Goes on for as long as results are there at once.
void Controller::advance(Request& request, BlockResult result) {
    while (result == BlockResult::Ok && has_step(request)) {
        result = submit_step(request);
        if (result == BlockResult::Pending) return;
    }
    finish_task(request, result);
}

// The first active namespace from the one that is next.
const Namespace* Controller::next_to_flush(const Request& request) const {
    if (request.space != nullptr) return request.step == 0 ? request.space : nullptr;
    const auto active = std::find_if(
        namespaces_.begin() +
            static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(request.step, namespaces_.size())),
        namespaces_.end(), [](const auto& each) { return each->is_active(); });
    return active != namespaces_.end() ? active->get() : nullptr;
}

bool Controller::has_step(const Request& request) const {
    switch (request.task) {
    case Task::Flush: return next_to_flush(request) != nullptr;
    case Task::Deallocate: return request.step < request.ranges.size();
    case Task::Verify: return request.step < requests_.command_of(request).blocks();
    default: return request.step == 0;
    }
}

BlockResult Controller::submit_step(Request& request) {
    const Command command = requests_.command_of(request);
    const std::uint64_t first = command.slba(), blocks = command.blocks();
    const std::uint32_t stable = command.force_unit_access() || !features_.write_cache
                                     ? BACKPLANE_BLOCK_FORCE_ACCESS
                                     : 0;
    const std::uint64_t step = request.step++;
    const auto read_into_data = [&](std::uint64_t at, std::uint64_t count) {
        request.data.resize(count << request.space->block_shift());
        request.segment = {request.data.data(), request.data.size()};
        return submit(request, *request.space, BlockOperation::Read, at, count,
                      {&request.segment, 1});
    };
    switch (request.task) {
    case Task::Read:
        return submit(request, *request.space, BlockOperation::Read, first, blocks,
                      request.buffer.open(pci_.memory(), Direction::ToGuest));
    case Task::Write:
        return submit(request, *request.space, BlockOperation::Write, first, blocks,
                      request.buffer.open(pci_.memory(), Direction::FromGuest), stable);
    case Task::Compare: return read_into_data(first, blocks);
    case Task::WriteZeroes:
        return submit(request, *request.space, BlockOperation::WriteZeroes, first, blocks, {},
                      stable | (command.deallocate() ? BACKPLANE_BLOCK_MAY_DISCARD : 0));
    case Task::Deallocate: {
        const Request::Blocks& range = request.ranges[step];
        return submit(request, *request.space, BlockOperation::Discard, range.first, range.count);
    }
    case Task::Verify: {
        const std::uint64_t count = std::min(blocks - step,
                                             verified_at_once >> request.space->block_shift());
        request.step = step + count;
        return read_into_data(first + step, count);
    }
    case Task::Flush: {
        request.step = step;
        const Namespace& space = *next_to_flush(request);
        request.step = space.id();
        return submit(request, space, BlockOperation::Flush, 0, 0);
    }
    default: return BlockResult::Invalid;
    }
}

BlockResult Controller::submit(Request& request, const Namespace& space, BlockOperation operation,
                               std::uint64_t first, std::uint64_t count,
                               std::span<const backplane_block_segment> segments,
                               std::uint32_t flags) {
    const BlockResult result = space.image().submit(
        operation, first << space.block_shift(), count << space.block_shift(), segments,
        [](void* user, std::int32_t outcome) noexcept {
            auto& arrived = *static_cast<Request*>(user);
            arrived.controller->arrived(arrived, static_cast<BlockResult>(outcome));
        },
        &request, flags);
    request.is_pending = result == BlockResult::Pending;
    return result;
}

void Controller::arrived(Request& request, BlockResult result) {
    const OnTheBus guard{*this};
    request.is_pending = false;
    if (!request.is_abandoned) {
        advance(request, result);
        return work();
    }
    // The memory was written nevertheless.
    if (request.task == Task::Read) request.buffer.close(pci_.memory());
    request.is_abandoned = false;
    if (requests_.stage[request.index] == Requests::Stage::None) release(request);
    if (--abandoned_ == 0 && is_resetting_) finish_reset();
}

void Controller::finish_task(Request& request, BlockResult result) {
    const std::uint64_t length = request.buffer.length();
    Status status = task_status(request, result);
    switch (request.task) {
    case Task::Read:
        request.buffer.close(pci_.memory());
        if (status == Status::Success) health_.bytes_read += length;
        ++health_.reads;
        break;
    case Task::Write:
        if (status == Status::Success) health_.bytes_written += length;
        ++health_.writes;
        break;
    case Task::Compare:
        if (status == Status::Success) status = compare(request);
        ++health_.reads;
        break;
    default: break;
    }
    answer(request, status);
}

Status Controller::task_status(const Request& request, BlockResult result) const {
    const bool reads = request.task == Task::Read || request.task == Task::Compare ||
                       request.task == Task::Verify;
    switch (result) {
    case BlockResult::Ok: return Status::Success;
    case BlockResult::NoSpace: return Status::CapacityExceeded;
    case BlockResult::ReadOnly: return Status::NamespaceIsWriteProtected;
    // It was taken away, or became smaller, meanwhile.
    case BlockResult::NoMedium: return Status::InvalidField;
    case BlockResult::Invalid: return Status::LbaOutOfRange;
    default: return reads ? Status::UnrecoveredReadError : Status::WriteFault;
    }
}

Status Controller::compare(Request& request) const {
    const std::byte* expected = request.data.data();
    for (const auto& segment : request.buffer.open(pci_.memory(), Direction::FromGuest)) {
        if (std::memcmp(segment.data, expected, segment.length) != 0) return Status::CompareFailure;
        expected += segment.length;
    }
    return Status::Success;
}

}  // namespace backplane::storage::nvme
