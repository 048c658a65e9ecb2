#include "incoming.h"

#include <algorithm>

namespace backplane::character {

bool Incoming::attach(const backplane_character_receiver& receiver) {
    const bool replaced = receiver_.receive != nullptr;
    receiver_ = {};
    const std::size_t known = std::min<std::size_t>(receiver.struct_size, sizeof receiver_);
    std::copy_n(reinterpret_cast<const std::byte*>(&receiver), known,
                reinterpret_cast<std::byte*>(&receiver_));
    if (receiver_.connection != nullptr) receiver_.connection(receiver_.user, connected_ ? 1 : 0);
    return replaced;
}

void Incoming::push(std::span<const std::uint8_t> bytes) {
    waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
    deliver();
}

void Incoming::deliver() {
    // The device may say that it has room again while it receives.
    if (delivering_ || receiver_.receive == nullptr) return;
    delivering_ = true;
    while (given_ < waiting_.size()) {
        const std::uint32_t room = receiver_.room(receiver_.user);
        if (room == 0) break;
        const auto length = static_cast<std::uint32_t>(
            std::min<std::size_t>(room, waiting_.size() - given_));
        const std::size_t from = given_;
        given_ += length;
        receiver_.receive(receiver_.user, waiting_.data() + from, length);
    }
    if (given_ == waiting_.size() || given_ >= capacity) {
        waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(given_));
        given_ = 0;
    }
    delivering_ = false;
}

void Incoming::send_break() const {
    if (receiver_.receive_break != nullptr) receiver_.receive_break(receiver_.user);
}

void Incoming::set_connected(bool connected) {
    if (connected_ == connected) return;
    connected_ = connected;
    if (receiver_.connection != nullptr) receiver_.connection(receiver_.user, connected ? 1 : 0);
}

}  // namespace backplane::character
