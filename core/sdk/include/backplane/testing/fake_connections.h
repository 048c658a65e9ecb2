// Stand-ins for what a device can be connected to: memory, character streams, receivers of
// interrupts.
//
// Each offers `link()`, to be given to DeviceBench::connect, and outlives the bench.
#pragma once

#include <backplane/abi.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::testing {

// A flat address space of RAM from `base` on; around it nothing answers.
class FlatMemory {
public:
    explicit FlatMemory(std::size_t size, std::uint64_t base = 0) : base_{base}, bytes(size) {}

    backplane_link link() {
        static constexpr backplane_address_space functions{
            sizeof(backplane_address_space),
            0,
            [](void* object, std::uint64_t address, backplane_range* range) {
                self(object).find(address, *range);
            },
            [](void* object, std::uint64_t address, std::uint32_t size) {
                std::uint64_t value = 0;
                self(object).read(address, &value, size);
                return value;
            },
            [](void* object, std::uint64_t address, std::uint32_t size, std::uint64_t value) {
                self(object).write(address, &value, size);
            },
            [](void* object, std::uint64_t address, void* data, std::uint64_t length) {
                self(object).read(address, data, length);
            },
            [](void* object, std::uint64_t address, const void* data, std::uint64_t length) {
                self(object).write(address, data, length);
            },
            [](void*, std::uint64_t, std::int32_t) {},
            [](void*, const backplane_address_space_listener*) {},
            [](void* object) { return self(object).base_ + self(object).bytes.size(); },
            [](void*, std::uint64_t) {},
            nullptr,
            nullptr,
            nullptr,
            nullptr};
        return {&functions, this};
    }

private:
    static FlatMemory& self(void* object) { return *static_cast<FlatMemory*>(object); }

    bool holds(std::uint64_t address, std::uint64_t length) const {
        return address >= base_ && length <= bytes.size() &&
               address - base_ <= bytes.size() - length;
    }

    void read(std::uint64_t address, void* data, std::uint64_t length) const {
        for (std::uint64_t i = 0; i < length; ++i)
            static_cast<std::uint8_t*>(data)[i] = holds(address + i, 1) ? bytes[address + i - base_]
                                                                        : 0xff;
    }

    void write(std::uint64_t address, const void* data, std::uint64_t length) {
        for (std::uint64_t i = 0; i < length; ++i)
            if (holds(address + i, 1))
                bytes[address + i - base_] = static_cast<const std::uint8_t*>(data)[i];
    }

    void find(std::uint64_t address, backplane_range& range) {
        if (holds(address, 1))
            range = {base_, bytes.size(), bytes.data(), 1, 1};
        else if (address < base_)
            range = {0, base_, nullptr, 0, 0};
        else
            range = {base_ + bytes.size(), ~std::uint64_t{0} - base_ - bytes.size(), nullptr, 0, 0};
    }

    std::uint64_t base_;

public:
    std::vector<std::uint8_t> bytes;
};

// The far end of a character stream: what the device sent, and what it is going to receive when it
// has room.
class FakeCharacter {
public:
    backplane_link link() {
        static constexpr backplane_character functions{
            sizeof(backplane_character), 0,
            [](void* object, const backplane_character_receiver* receiver) {
                self(object).receiver = *receiver;
                self(object).deliver();
            },
            [](void* object, const std::uint8_t* data, std::uint32_t length) {
                auto& stream = self(object);
                const auto taken = std::min<std::size_t>(
                    length, stream.capacity - std::min(stream.capacity, stream.sent.size()));
                stream.sent.append(reinterpret_cast<const char*>(data), taken);
                return static_cast<std::uint32_t>(taken);
            },
            [](void* object) { self(object).deliver(); }};
        return {&functions, this};
    }

    void type(std::string_view text) {
        waiting.append(text);
        deliver();
    }

    void send_break() const { receiver.receive_break(receiver.user); }
    void set_connected(bool connected) const { receiver.connection(receiver.user, connected); }

    std::string sent;
    std::string waiting;              // typed, but the device had no room yet
    std::size_t capacity = SIZE_MAX;  // the far end takes no more than this in all
    backplane_character_receiver receiver{};

private:
    static FakeCharacter& self(void* object) { return *static_cast<FakeCharacter*>(object); }

    void deliver() {
        if (receiver.receive == nullptr) return;
        while (!waiting.empty()) {
            const auto length = std::min<std::size_t>(receiver.room(receiver.user), waiting.size());
            if (length == 0) return;
            const std::string part = waiting.substr(0, length);
            waiting.erase(0, length);
            receiver.receive(receiver.user, reinterpret_cast<const std::uint8_t*>(part.data()),
                             static_cast<std::uint32_t>(length));
        }
    }
};

// A receiver of message interrupts that keeps them.
class RecordedMessages {
public:
    struct Message {
        std::uint64_t address;
        std::uint32_t data;
        bool operator==(const Message&) const = default;
    };

    backplane_link link() {
        static constexpr backplane_message_interrupt functions{
            sizeof(backplane_message_interrupt), 0,
            [](void* object, std::uint64_t address, std::uint32_t data) -> std::int32_t {
                auto& self = *static_cast<RecordedMessages*>(object);
                if (self.accepts) self.messages.push_back({address, data});
                return self.accepts;
            }};
        return {&functions, this};
    }

    std::vector<Message> messages;
    bool accepts = true;
};

// Somebody who is told of ended level-triggered interrupts.
class RecordedEnds {
public:
    backplane_link link() {
        static constexpr backplane_end_of_interrupt functions{
            sizeof(backplane_end_of_interrupt), 0, [](void* object, std::uint8_t vector) {
                static_cast<RecordedEnds*>(object)->vectors.push_back(vector);
            }};
        return {&functions, this};
    }

    std::vector<int> vectors;
};

// An interrupt controller that hands out the vectors it was given, then says there is none.
class FakeInterruptController {
public:
    backplane_link link() {
        static constexpr backplane_interrupt_controller functions{
            sizeof(backplane_interrupt_controller),
            0,
            [](void* object) -> std::int32_t {
                auto& vectors = static_cast<FakeInterruptController*>(object)->vectors;
                if (vectors.empty()) return -1;
                const int vector = vectors.front();
                vectors.pop_front();
                return vector;
            },
            nullptr,
            nullptr,
            nullptr,
            nullptr,
            nullptr,
            nullptr,
            nullptr};
        return {&functions, this};
    }

    std::deque<int> vectors;
};

}  // namespace backplane::testing
