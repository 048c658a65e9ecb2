#include "runtime/observed_links.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace backplane::runtime {

template <class Result, class... Arguments, Result (*backplane_block::*member)(void*, Arguments...)>
struct ObservedLinks::Passed<member> {
    static Result call(void* object, Arguments... arguments) {
        const auto& block = *static_cast<Block*>(object);
        return (block.inner.*member)(block.object, arguments...);
    }

    static void offer(Block& block) {
        if (block.inner.*member != nullptr) block.functions.*member = &call;
    }
};

backplane_link ObservedLinks::block(backplane_link link, std::string user, std::string provider) {
    Block& block = blocks_.emplace_back(Block{.functions = {},
                                              .inner = {},
                                              .object = link.object,
                                              .events = events_,
                                              .user = std::move(user),
                                              .provider = std::move(provider),
                                              .requests = {}});
    const auto& offered = *static_cast<const backplane_block*>(link.functions);
    std::memcpy(&block.inner, &offered,
                std::min<std::size_t>(offered.struct_size, sizeof block.inner));
    block.functions.struct_size = sizeof block.functions;
    Passed<&backplane_block::describe>::offer(block);
    Passed<&backplane_block::listen>::offer(block);
    Passed<&backplane_block::wait>::offer(block);
    Passed<&backplane_block::resize>::offer(block);
    Passed<&backplane_block::lock_medium>::offer(block);
    Passed<&backplane_block::change_medium>::offer(block);
    block.functions.submit = [](void* object, const backplane_block_request* request) {
        return static_cast<Block*>(object)->submit(*request);
    };
    return {&block.functions, &block};
}

std::int32_t ObservedLinks::Block::submit(const backplane_block_request& wanted) {
    const bool tells_start = events.block_starts.wanted();
    if (!tells_start && !events.block_ends.wanted()) return inner.submit(object, &wanted);

    const backplane_event_origin origin = events.origin(user);
    const std::uint64_t id = events.next_request();
    if (tells_start) {
        BlockStarted start{};
        start.origin = origin;
        put_event_name(start.backend, provider);
        start.id = id;
        start.offset = wanted.offset;
        start.length = wanted.length;
        start.operation = wanted.operation;
        start.flags = wanted.flags;
        events.block_starts.publish(start);
    }
    Request& request = requests.emplace_front();
    request.place = requests.begin();
    request.block = this;
    request.complete = wanted.complete;
    request.user = wanted.user;
    BlockCompleted& end = request.end;
    put_event_name(end.backend, provider);
    end.id = id;
    end.offset = wanted.offset;
    end.length = wanted.length;
    end.started_guest_time = origin.guest_time;
    end.started_host_time = origin.host_time;
    end.operation = wanted.operation;

    // A user that was compiled against a longer request has only what is known here passed on.
    backplane_block_request passed{};
    const auto size = std::min<std::uint32_t>(wanted.struct_size, sizeof passed);
    std::memcpy(&passed, &wanted, size);
    passed.struct_size = size;
    passed.user = &request;
    passed.complete = [](void* place, std::int32_t result) {
        Request& done = *static_cast<Request*>(place);
        const auto [complete, complete_user] = std::pair{done.complete, done.user};
        done.block->finish(done, result);
        complete(complete_user, result);
    };
    const std::int32_t result = inner.submit(object, &passed);
    if (result != BACKPLANE_BLOCK_PENDING) finish(request, result);
    return result;
}

void ObservedLinks::Block::finish(Request& request, std::int32_t result) {
    if (events.block_ends.wanted()) {
        request.end.origin = events.origin(user);
        request.end.result = static_cast<std::uint32_t>(result);
        events.block_ends.publish(request.end);
    }
    requests.erase(request.place);
}

backplane_link ObservedLinks::messages(backplane_link link, std::string sender,
                                       std::string receiver) {
    static constexpr backplane_message_interrupt functions{
        sizeof(backplane_message_interrupt), 0,
        [](void* object, std::uint64_t address, std::uint32_t data) {
            const auto& link = *static_cast<Messages*>(object);
            const std::int32_t is_taken = link.inner->send(link.object, address, data);
            if (is_taken == 0 || !link.events.messages.wanted()) return is_taken;
            InterruptMessage message{};
            message.origin = link.events.origin(link.sender);
            put_event_name(message.target, link.receiver);
            message.address = address;
            message.data = data;
            link.events.messages.publish(message);
            return is_taken;
        }};
    return {&functions,
            &messages_.emplace_back(
                Messages{.inner = static_cast<const backplane_message_interrupt*>(link.functions),
                         .object = link.object,
                         .events = events_,
                         .sender = std::move(sender),
                         .receiver = std::move(receiver)})};
}

}  // namespace backplane::runtime
