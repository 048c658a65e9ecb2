#include "runtime/component.h"

#include "runtime/log.h"
#include "runtime/machine.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

namespace backplane::runtime {

// The functions every component is handed. Their first argument is the Component, or an object made
// by one of them.
const backplane_host& Component::services() {
    static const backplane_host host = [] {
        backplane_host h{};
        h.struct_size = sizeof h;
        h.log = [](void* context, std::uint32_t level, const char* text) {
            const auto& component = *static_cast<Component*>(context);
            if (level <= component.host_.log_level)
                write_log(static_cast<backplane_log_level>(level), component.name_, text);
        };
        h.fail = [](void* context, const char* text) {
            static_cast<Component*>(context)->failure_ = text;
        };
        h.now = [](void* context) {
            return static_cast<Component*>(context)->machine_.clock().now();
        };
        h.timer_create = [](void* context, const char* name, void (*expire)(void*), void* user) {
            auto& component = *static_cast<Component*>(context);
            const MachineGuard guard{component.machine_.lock()};
            auto& timer = component.machine_.clock().create_timer(component.name_ + "." + name,
                                                                  expire, user);
            component.timers_.push_back(&timer);
            return reinterpret_cast<backplane_timer*>(&timer);
        };
        h.timer_start = [](backplane_timer* handle, std::uint64_t deadline) {
            auto& timer = *reinterpret_cast<VirtualClock::Timer*>(handle);
            timer.clock->start(timer, deadline);
        };
        h.timer_stop = [](backplane_timer* handle) {
            auto& timer = *reinterpret_cast<VirtualClock::Timer*>(handle);
            timer.clock->stop(timer);
        };
        h.request_reset = [](void* context, const char* why) {
            auto& component = *static_cast<Component*>(context);
            component.machine_.request_reset(component.name_ + ": " + why);
        };
        h.request_power_off = [](void* context, std::int32_t exit_code, const char* why) {
            auto& component = *static_cast<Component*>(context);
            component.machine_.request_power_off(exit_code, component.name_ + ": " + why);
        };
        h.allocate_memory = [](void* context, std::uint64_t bytes) -> void* {
            auto& component = *static_cast<Component*>(context);
            auto memory = GuestMemory::allocate(bytes);
            if (!memory) {
                component.failure_ = memory.error();
                return nullptr;
            }
            return component.memory_.emplace_back(std::move(*memory)).bytes().data();
        };
        h.track_dirty = [](void* context, void* memory, std::int32_t track) {
            auto& component = *static_cast<Component*>(context);
            const MachineGuard guard{component.machine_.lock()};
            const auto block = component.block_of(memory);
            track != 0 ? component.machine_.dirty().track(block)
                       : component.machine_.dirty().forget(block.data());
            component.machine_.memory().tell_remapped(block);
        };
        h.take_dirty = [](void* context, void* memory, std::uint64_t first, std::uint64_t pages,
                          std::uint64_t* bitmap) {
            auto& component = *static_cast<Component*>(context);
            const MachineGuard guard{component.machine_.lock()};
            DirtyPages* tracked = component.machine_.dirty().find(memory);
            if (tracked != nullptr && tracked->take(first, pages, bitmap))
                component.machine_.memory().tell_remapped(tracked->memory());
        };
        h.topic = [](void* context, const char* id, std::uint32_t size, const char* doc) {
            return static_cast<Component*>(context)->machine_.events().topic(id, size, doc);
        };
        h.publish = [](void*, backplane_topic topic, const void* payload) {
            EventHub::publish(topic, payload);
        };
        h.subscribe = [](void* context, const char* id, std::uint32_t size,
                         void (*receive)(void*, const void*), void* user) {
            return static_cast<Component*>(context)->machine_.events().subscribe(id, size, receive,
                                                                                 user);
        };
        h.subscribe_queued = [](void* context, const char* id, std::uint32_t size,
                                std::uint32_t capacity) {
            return static_cast<Component*>(context)->machine_.events().subscribe_queued(id, size,
                                                                                        capacity);
        };
        h.receive_queued = [](backplane_subscription* subscription, void* payload) -> std::int32_t {
            return EventHub::receive_queued(subscription, payload);
        };
        h.lost = [](backplane_subscription* subscription) { return EventHub::lost(subscription); };
        h.unsubscribe = [](backplane_subscription* subscription) {
            EventHub::unsubscribe(subscription);
        };
        h.watch_readable = [](void* context, int fd, void (*ready)(void*),
                              void* user) -> backplane_watch* {
            auto& component = *static_cast<Component*>(context);
            if (component.machine_.is_deterministic()) {
                component.failure_ = "a deterministic machine takes no input from the host";
                return nullptr;
            }
            auto watch = component.machine_.io().watch(fd, [ready, user] { ready(user); });
            if (!watch) {
                component.failure_ = "the host cannot wait for input from this kind of file";
                return nullptr;
            }
            return reinterpret_cast<backplane_watch*>(
                component.watches_.emplace_back(std::move(watch)).get());
        };
        h.watch_stop = [](backplane_watch* watch) {
            reinterpret_cast<IoLoop::Watch*>(watch)->stop();
        };
        h.post = [](void* context, void (*run)(void*), void* user) {
            static_cast<Component*>(context)->machine_.io().post([run, user] { run(user); });
        };
        h.date_at_start = [](void* context) {
            return static_cast<Component*>(context)->machine_.date_at_start();
        };
        h.begin_exclusive = [](void* context) {
            static_cast<Component*>(context)->machine_.exclusive().begin();
        };
        h.end_exclusive = [](void* context) {
            static_cast<Component*>(context)->machine_.exclusive().end();
        };
        h.cpu_count = [](void* context) {
            return static_cast<std::uint32_t>(
                static_cast<Component*>(context)->machine_.cpus().size());
        };
        h.peek_now = [](void* context) {
            return static_cast<Component*>(context)->machine_.peek_time();
        };
        return h;
    }();
    return host;
}

Component::Component(Machine& machine, const ComponentDescription& description)
    : machine_{machine}, name_{description.name}, type_{description.type}, host_{services()} {
    host_.context = this;
    host_.name = name_.c_str();
    host_.log_level = description.log_level;
}

std::expected<std::unique_ptr<Component>, std::string>
Component::create(Machine& machine, const ComponentDescription& description) {
    std::unique_ptr<Component> component{new Component{machine, description}};
    if (component->type_->create(&component->host_, description.values.data(),
                                 &component->device_) != BACKPLANE_OK)
        return std::unexpected(component->take_failure("could not be created"));
    return component;
}

Component::~Component() {
    for (const auto& watch : watches_)
        watch->stop();
    for (auto* timer : timers_)
        timer->clock->stop(*timer);
    if (device_ != nullptr) type_->destroy(device_);
}

std::string Component::take_failure(const char* doing) {
    const std::string why = failure_.empty() ? "the device gave no reason"
                                             : std::exchange(failure_, {});
    return fmt::format("{} ({}) {}: {}", name_, type_->name, doing, why);
}

std::uint64_t Component::window_size(std::uint32_t port) const {
    const std::uint64_t declared = type_->ports[port].size;
    if (declared != 0) return declared;
    return type_->window_size != nullptr ? type_->window_size(device_, port) : 0;
}

backplane_link Component::provide(std::uint32_t port, std::uint32_t element) {
    const auto [found, added] = provided_.try_emplace({port, element});
    if (added) found->second = type_->provide(device_, port, element);
    return found->second;
}

std::expected<void, std::string> Component::connect(std::uint32_t port, std::uint32_t element,
                                                    backplane_link link) {
    if (type_->connect(device_, port, element, link) == BACKPLANE_OK) return {};
    return std::unexpected(
        take_failure(fmt::format("refused the connection of {}", type_->ports[port].name).c_str()));
}

std::expected<void, std::string> Component::start() {
    if (type_->start == nullptr || type_->start(device_) == BACKPLANE_OK) return {};
    return std::unexpected(take_failure("could not start"));
}

void Component::reset(backplane_reset_kind kind) {
    if (type_->reset != nullptr) type_->reset(device_, kind);
}

void Component::stop() {
    if (type_->stop != nullptr) type_->stop(device_);
}

std::vector<std::uint64_t> Component::statistics() const {
    std::vector<std::uint64_t> values(type_->statistic_count);
    if (!values.empty()) type_->read_statistics(device_, values.data());
    return values;
}

std::vector<std::byte> Component::save() const {
    std::vector<std::byte> bytes;
    for (std::uint32_t field = 0; field < type_->state_count; ++field) {
        const auto& declared = type_->state[field];
        const auto* from = static_cast<const std::byte*>(type_->state_address(device_, field));
        bytes.insert(bytes.end(), from, from + std::size_t{declared.element_size} * declared.count);
    }
    return bytes;
}

void Component::restore(std::span<const std::byte> state) {
    for (std::uint32_t field = 0; field < type_->state_count; ++field) {
        const auto& declared = type_->state[field];
        const std::size_t size = std::size_t{declared.element_size} * declared.count;
        std::memcpy(type_->state_address(device_, field), state.data(), size);
        state = state.subspan(size);
    }
    if (type_->restored != nullptr) type_->restored(device_);
}

std::span<std::byte> Component::block_of(const void* memory) const {
    for (const auto& block : memory_)
        if (block.bytes().data() == memory) return block.bytes();
    return {};
}

std::uint64_t Component::committed_memory() const {
    std::uint64_t bytes = 0;
    for (const auto& memory : memory_)
        bytes += memory.committed();
    return bytes;
}

}  // namespace backplane::runtime
