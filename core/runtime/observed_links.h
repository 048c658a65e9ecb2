// Stands between two components where what one asks of the other is an event: block requests and
// message interrupts. All else goes through unchanged.
#pragma once

#include "runtime/machine_events.h"

#include <backplane/abi/block.h>
#include <backplane/abi/device.h>
#include <backplane/abi/message_interrupt.h>

#include <deque>
#include <list>
#include <string>

namespace backplane::runtime {

class ObservedLinks {
public:
    explicit ObservedLinks(MachineEvents& events) : events_{events} {}

    // The same link, with what it offers and no more. `user` and `provider` are components.
    backplane_link block(backplane_link link, std::string user, std::string provider);
    backplane_link messages(backplane_link link, std::string sender, std::string receiver);

private:
    struct Block;

    // A request that somebody wants to hear the end of.
    struct Request {
        Block* block = nullptr;
        void (*complete)(void* user, std::int32_t result) = nullptr;
        void* user = nullptr;
        BlockCompleted end;
        std::list<Request>::iterator place;
    };

    struct Block {
        backplane_block functions;  // what the user is given
        backplane_block inner;
        void* object;
        MachineEvents& events;
        std::string user, provider;
        std::list<Request> requests;  // with the machine lock

        std::int32_t submit(const backplane_block_request& wanted);
        void finish(Request& request, std::int32_t result);
    };

    struct Messages {
        const backplane_message_interrupt* inner;
        void* object;
        MachineEvents& events;
        std::string sender, receiver;
    };

    // The function of Block::functions that calls `member` of the inner one.
    template <auto member>
    struct Passed;

    MachineEvents& events_;
    std::deque<Block> blocks_;
    std::deque<Messages> messages_;
};

}  // namespace backplane::runtime
