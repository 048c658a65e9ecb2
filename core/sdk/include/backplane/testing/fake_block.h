// A block backend in memory for tests: it can hold requests back, fail them, and change its medium.
#pragma once

#include <backplane/abi/block.h>
#include <backplane/abi/device.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

namespace backplane::testing {

class FakeBlock {
public:
    struct Request {
        std::uint32_t operation;
        std::uint32_t flags;
        std::uint64_t offset, length;
        bool operator==(const Request&) const = default;
    };

    explicit FakeBlock(std::size_t size, std::uint32_t block_size = 512)
        : bytes(size), block_size{block_size} {}

    backplane_link link() {
        static constexpr backplane_block functions{
            sizeof(backplane_block),
            0,
            [](void* object, backplane_block_info* info) { self(object).describe(*info); },
            [](void* object, const backplane_block_listener* listener) {
                std::memcpy(&self(object).listener, listener,
                            std::min<std::size_t>(listener->struct_size, sizeof *listener));
            },
            [](void* object, const backplane_block_request* request) {
                return self(object).submit(*request);
            },
            [](void* object) { self(object).finish_all(); },
            [](void* object, std::uint64_t size) -> std::int32_t {
                self(object).resize(size);
                return BACKPLANE_BLOCK_OK;
            },
            [](void* object, std::int32_t locked) { self(object).is_locked = locked != 0; },
            nullptr};
        return {&functions, this};
    }

    // Completes the oldest request that was held back; false when there is none.
    bool finish_one() {
        if (held_.empty()) return false;
        const backplane_block_request request = held_.front();
        held_.pop_front();
        request.complete(request.user, perform(request));
        return true;
    }

    void finish_all() {
        while (finish_one()) {
        }
    }

    std::size_t held() const { return held_.size(); }

    void resize(std::uint64_t size) {
        bytes.resize(size);
        if (listener.resized != nullptr) listener.resized(listener.user);
    }

    // Nothing: no medium.
    void change_medium(std::optional<std::vector<std::uint8_t>> medium) {
        finish_all();
        has_medium = medium.has_value();
        bytes = std::move(medium).value_or(std::vector<std::uint8_t>{});
        if (listener.medium_changed != nullptr) listener.medium_changed(listener.user);
    }

    void press_eject() const {
        if (listener.eject_requested != nullptr) listener.eject_requested(listener.user);
    }

    std::vector<std::uint8_t> bytes;
    std::uint32_t block_size;
    bool has_medium = true, is_read_only = false, is_removable = false, can_discard = true;
    bool is_locked = false;
    bool holds = false;  // requests wait for finish_one
    std::uint32_t cylinders = 0, heads = 0, sectors = 0;
    // Requests that touch a byte in [first, second) give `failure`.
    std::pair<std::uint64_t, std::uint64_t> bad{0, 0};
    std::int32_t failure = BACKPLANE_BLOCK_FAILED;
    std::vector<Request> requests;
    backplane_block_listener listener{};

private:
    static FakeBlock& self(void* object) { return *static_cast<FakeBlock*>(object); }

    void describe(backplane_block_info& info) const {
        backplane_block_info answer{};
        answer.struct_size = info.struct_size;
        answer.flags = (has_medium ? BACKPLANE_BLOCK_HAS_MEDIUM : 0) |
                       (is_read_only ? BACKPLANE_BLOCK_IS_READ_ONLY : 0) |
                       (is_removable ? BACKPLANE_BLOCK_IS_REMOVABLE : 0) |
                       (can_discard ? BACKPLANE_BLOCK_CAN_DISCARD : 0);
        answer.size = bytes.size();
        answer.block_size = block_size;
        answer.physical_block_size = block_size;
        answer.cylinders = cylinders, answer.heads = heads, answer.sectors = sectors;
        std::memcpy(&info, &answer, std::min<std::size_t>(info.struct_size, sizeof answer));
    }

    std::int32_t submit(const backplane_block_request& request) {
        requests.push_back({request.operation, request.flags, request.offset, request.length});
        if (!holds) return perform(request);
        held_.push_back(request);
        return BACKPLANE_BLOCK_PENDING;
    }

    std::int32_t perform(const backplane_block_request& request) {
        const std::uint64_t end = request.offset + request.length;
        if (!has_medium) return BACKPLANE_BLOCK_NO_MEDIUM;
        if (request.offset % block_size != 0 || request.length % block_size != 0 ||
            end < request.offset || end > bytes.size())
            return BACKPLANE_BLOCK_INVALID;
        if (request.offset < bad.second && bad.first < end) return failure;
        if (request.operation == BACKPLANE_BLOCK_FLUSH) return BACKPLANE_BLOCK_OK;
        if (is_read_only && request.operation != BACKPLANE_BLOCK_READ)
            return BACKPLANE_BLOCK_READ_ONLY;
        const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(request.offset);
        if (request.operation == BACKPLANE_BLOCK_DISCARD ||
            request.operation == BACKPLANE_BLOCK_WRITE_ZEROES) {
            std::fill_n(place, request.length, std::uint8_t{0});
            return BACKPLANE_BLOCK_OK;
        }
        std::uint64_t at = request.offset;
        for (std::uint32_t index = 0; index < request.segment_count; ++index) {
            const auto& segment = request.segments[index];
            if (request.operation == BACKPLANE_BLOCK_READ)
                std::memcpy(segment.data, bytes.data() + at, segment.length);
            else
                std::memcpy(bytes.data() + at, segment.data, segment.length);
            at += segment.length;
        }
        return BACKPLANE_BLOCK_OK;
    }

    std::deque<backplane_block_request> held_;
};

}  // namespace backplane::testing
