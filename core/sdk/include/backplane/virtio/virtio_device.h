// What every virtio device is, however the driver reaches it: features and status, queues, and
// their saved state (virtio 1.2, chapters 2 and 3). A transport such as VirtioPci is built on it,
// and a device on the transport; what a device has to add and what it may use is told here.
#pragma once

#include <backplane/address_space.h>
#include <backplane/declaration.h>
#include <backplane/device.h>
#include <backplane/virtio/features.h>
#include <backplane/virtio/virtqueue.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace backplane::virtio {

class VirtioDevice : public Device {
public:
    void reset(ResetKind) { reset_device(); }
    void restored();

protected:
    static constexpr unsigned config_size = 256;

    VirtioDevice() = default;
    ~VirtioDevice() = default;

    // ---- What a device adds ----

    // Fixed once the device has started.
    virtual unsigned queue_count() const = 0;
    virtual std::uint16_t largest_queue() const { return 256; }
    // Of its own: bits 0 to 23 and 50 to 127.
    virtual std::uint64_t device_features() const { return 0; }
    // There may be chains in this queue: take them until there are none.
    virtual void queue_notified(unsigned queue) = 0;
    // Nothing of this queue is worked on any more when it returns: no guest memory is used, and
    // nothing given back.
    virtual void abandon(unsigned /*queue*/) {}
    virtual void features_agreed() {}
    virtual void device_reset() {}
    // The device's configuration as the driver reads it.
    virtual void fill_config(std::span<std::uint8_t, config_size>) const {}
    virtual void write_config(unsigned /*offset*/, unsigned /*bytes*/, std::uint32_t /*value*/) {}

    // ---- What it uses ----

    // Around what a device does with guest memory outside of queue_notified. Meanwhile it does not
    // hear itself, should the driver have made it write to its own registers; after it interrupts
    // are sent.
    class Work {
    public:
        explicit Work(VirtioDevice& device) : device_{device} { ++device_.working_; }
        Work(const Work&) = delete;
        Work& operator=(const Work&) = delete;
        ~Work() {
            if (--device_.working_ == 0) device_.interrupt_where_wanted();
        }

    private:
        VirtioDevice& device_;
    };

    bool has(std::uint64_t features) const { return (accepted_ & features) == features; }
    const AddressSpace& memory() const { return memory_; }
    bool take(unsigned queue, Chain& chain);
    void give_back(unsigned queue, const Chain& chain, std::uint32_t written);
    void config_changed();
    // The driver did something that leaves no way on: it has to reset the device (2.1.1).
    void fail(const std::string& why);
    std::size_t in_flight(unsigned queue) const { return queues_[queue]->state.in_flight_count; }

    // ---- What a transport adds ----

    virtual void interrupt_queue(unsigned queue) = 0;
    virtual void interrupt_config() = 0;
    virtual bool can_reach_memory() const { return true; }
    virtual std::uint64_t transport_features() const = 0;
    virtual void transport_reset() {}

    // ---- What it uses ----

    // `has_legacy`: a driver that does not know VIRTIO_F_VERSION_1 is served too.
    void start_queues(const AddressSpace& memory, bool has_legacy);
    void reset_device();
    std::uint64_t offered() const { return device_features() | transport_features(); }
    std::uint64_t accepted() const { return accepted_; }
    void accept(std::uint64_t features);
    std::uint8_t device_status() const { return status_; }
    void set_status(std::uint8_t value);
    std::uint8_t config_generation() const { return config_generation_; }
    bool has_queue(unsigned queue) const { return queue < count_; }
    Virtqueue& queue(unsigned index) { return *queues_[index]; }
    void enable_queue(unsigned queue);
    void reset_queue(unsigned queue);
    void notify_queue(unsigned queue);
    void notify_all();
    bool is_working() const { return working_ != 0; }
    bool is_legacy() const { return has_legacy_ && !has(feature::version_1); }

    template <class T>
    static void declare_device(Declaration<T>& d, unsigned most_queues);

private:
    bool is_running(unsigned queue) const;
    void interrupt_where_wanted();
    Virtqueue& storage(std::size_t index) {
        while (queues_.size() <= index)
            queues_.push_back(std::make_unique<Virtqueue>());
        return *queues_[index];
    }

    AddressSpace memory_;
    std::vector<std::unique_ptr<Virtqueue>> queues_;  // at least those there are
    unsigned count_ = 0;
    bool has_legacy_ = false;
    std::uint64_t accepted_ = 0;
    std::uint8_t status_ = 0, config_generation_ = 0;
    unsigned working_ = 0;
    unsigned complaints_ = 0;
};

inline void VirtioDevice::start_queues(const AddressSpace& memory, bool has_legacy) {
    memory_ = memory;
    has_legacy_ = has_legacy;
    count_ = queue_count();
    if (count_ != 0) storage(count_ - 1);
}

inline void VirtioDevice::reset_device() {
    for (unsigned index = 0; index < count_; ++index) {
        abandon(index);
        queue(index).reset(largest_queue());
    }
    accepted_ = 0;
    status_ = 0;
    transport_reset();
    device_reset();
}

// Requests that were in flight are made again, once everybody else is restored too. They may have
// been carried out before; carried out twice they give the same.
inline void VirtioDevice::restored() {
    bool are_some = false;
    for (unsigned index = 0; index < count_; ++index) {
        abandon(index);
        are_some |= queue(index).begin_again();
    }
    if (!are_some) return;
    host().post(
        host().context, [](void* self) noexcept { static_cast<VirtioDevice*>(self)->notify_all(); },
        this);
}

inline bool VirtioDevice::is_running(unsigned index) const {
    if (index >= count_ || !queues_[index]->state.is_enabled) return false;
    // Legacy drivers use queues before they say that they are ready (3.1.2).
    const bool is_ready = is_legacy() || (status_ & status::driver_ok) != 0;
    return is_ready && (status_ & status::needs_reset) == 0 && can_reach_memory();
}

inline bool VirtioDevice::take(unsigned index, Chain& chain) {
    if (!is_running(index)) return false;
    const Work work{*this};
    const char* error = nullptr;
    if (queue(index).take(memory_, accepted_, chain, error)) return true;
    if (error != nullptr) fail("queue " + std::to_string(index) + ": " + error);
    return false;
}

inline void VirtioDevice::give_back(unsigned index, const Chain& chain, std::uint32_t written) {
    if (!is_running(index)) return;
    const Work work{*this};
    queue(index).give_back(memory_, accepted_, chain, written);
}

inline void VirtioDevice::interrupt_where_wanted() {
    for (unsigned index = 0; index < count_; ++index)
        if (is_running(index) && queue(index).wants_interrupt(memory_, accepted_))
            interrupt_queue(index);
}

inline void VirtioDevice::config_changed() {
    ++config_generation_;
    if ((status_ & status::driver_ok) != 0) interrupt_config();
}

inline void VirtioDevice::fail(const std::string& why) {
    if ((status_ & status::needs_reset) != 0) return;
    // A guest that tries again and again does not fill the log.
    constexpr unsigned most = 20;
    if (complaints_ < most) {
        ++complaints_;
        log(LogLevel::Warning, "the driver has to reset the device: ", why,
            complaints_ == most ? "; this is not written any more" : "");
    }
    status_ |= status::needs_reset;
    if ((status_ & status::driver_ok) != 0) interrupt_config();
}

inline void VirtioDevice::accept(std::uint64_t features) {
    // After FEATURES_OK nothing is changed (2.2.1).
    if ((status_ & status::features_ok) != 0) return;
    accepted_ = features;
}

// The driver sets bits, and takes back all at once by writing 0, which resets (2.1).
inline void VirtioDevice::set_status(std::uint8_t value) {
    if (value == 0) return reset_device();
    const std::uint8_t before = status_;
    status_ = static_cast<std::uint8_t>(value | (before & status::needs_reset));
    const auto begins = [&](std::uint8_t which) { return (status_ & ~before & which) != 0; };
    if (begins(status::features_ok)) {
        // Unset again where the driver wants what there is not, or is a legacy driver that should
        // not know this bit (2.1.1, 6.2).
        if ((accepted_ & ~offered()) != 0 || !has(feature::version_1))
            status_ &= static_cast<std::uint8_t>(~status::features_ok);
        else
            features_agreed();
    }
    if (!begins(status::driver_ok)) return;
    if (is_legacy()) accepted_ &= offered();
    if (is_legacy()) features_agreed();
    if (!is_legacy() && (status_ & status::features_ok) == 0)
        return fail("it is ready, but did not agree on features");
    notify_all();
}

inline void VirtioDevice::enable_queue(unsigned index) {
    Virtqueue& which = queue(index);
    if (which.state.is_enabled) return;
    if (const char* error = which.enable(accepted_)) fail(error);
}

inline void VirtioDevice::reset_queue(unsigned index) {
    abandon(index);
    queue(index).reset(largest_queue());
}

inline void VirtioDevice::notify_queue(unsigned index) {
    if (!is_running(index) || is_working()) return;
    const Work work{*this};
    queue_notified(index);
}

inline void VirtioDevice::notify_all() {
    for (unsigned index = 0; index < count_; ++index)
        notify_queue(index);
}

template <class T>
void VirtioDevice::declare_device(Declaration<T>& d, unsigned most_queues) {
    d.saved("features", [](T& t) -> auto& { return t.VirtioDevice::accepted_; });
    d.saved("status", [](T& t) -> auto& { return t.VirtioDevice::status_; });
    d.saved("config-generation", [](T& t) -> auto& { return t.VirtioDevice::config_generation_; });
    for (unsigned index = 0; index < most_queues; ++index) {
        const auto saved = [&](const char* name, auto member) {
            d.saved("queue." + std::to_string(index) + "." + name, [index, member](T& t) -> auto& {
                return t.VirtioDevice::storage(index).state.*member;
            });
        };
        saved("size", &QueueState::size);
        saved("enabled", &QueueState::is_enabled);
        saved("vector", &QueueState::vector);
        saved("descriptors", &QueueState::descriptors);
        saved("driver-area", &QueueState::driver_area);
        saved("device-area", &QueueState::device_area);
        saved("next-available", &QueueState::next_available);
        saved("next-used", &QueueState::next_used);
        saved("available-wrap", &QueueState::available_wrap);
        saved("used-wrap", &QueueState::used_wrap);
        saved("unsignalled", &QueueState::unsignalled);
        saved("in-flight", &QueueState::in_flight);
        saved("in-flight-count", &QueueState::in_flight_count);
        saved("slots-in-flight", &QueueState::slots_in_flight);
        saved("taken", &QueueState::taken);
    }
}

}  // namespace backplane::virtio
