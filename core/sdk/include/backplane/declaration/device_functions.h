// What the host calls of the instances of a device type, carried out as the type was declared.
#pragma once

#include <backplane/abi.h>
#include <backplane/declaration/lists.h>
#include <backplane/device.h>
#include <backplane/instance.h>

#include <concepts>
#include <cstdint>
#include <exception>
#include <memory>

namespace backplane {

template <class T>
class Declaration;

template <class T>
class DeviceFunctions {
public:
    static void put_into(backplane_device_type& type) {
        type.create = &create;
        type.destroy = [](void* device) noexcept { delete self(device); };
        type.window_size = [](void* device, std::uint32_t port) noexcept -> std::uint64_t {
            const auto& size = lists().behaviours_[port].window_size;
            return size ? size(self(device)->device) : 0;
        };
        type.provide = [](void* device, std::uint32_t port, std::uint32_t element) noexcept {
            return lists().behaviours_[port].provide(*self(device), element);
        };
        type.connect = [](void* device, std::uint32_t port, std::uint32_t element,
                          backplane_link link) noexcept -> backplane_status {
            lists().behaviours_[port].connect(self(device)->device, element, link);
            return BACKPLANE_OK;
        };
        type.start = &start;
        type.reset = [](void* device, std::uint32_t kind) noexcept {
            for (const auto& function : lists().functions_)
                function(self(device)->device).reset();
            if constexpr (requires(T& t) { t.reset(ResetKind::Machine); })
                self(device)->device.reset(static_cast<ResetKind>(kind));
        };
        type.stop = [](void* device) noexcept {
            if constexpr (requires(T& t) { t.stop(); }) self(device)->device.stop();
        };
        type.read_statistics = [](void* device, std::uint64_t* values) noexcept {
            for (const auto& read : lists().readers_)
                *values++ = read(self(device)->device);
        };
        type.state_address = [](void* device, std::uint32_t field) noexcept -> void* {
            return lists().addresses_[field](*self(device));
        };
        type.restored = &restored;
    }

private:
    static const DeclarationLists<T>& lists() { return Declaration<T>::definition(); }

    static Instance<T>* self(void* device) { return static_cast<Instance<T>*>(device); }

    static backplane_status create(const backplane_host* host, const backplane_value* values,
                                   void** device) {
        try {
            auto instance = std::make_unique<Instance<T>>();
            instance->device.bind(host);
            for (const auto& set : lists().setters_)
                set(instance->device, *values++);
            for (const auto& timer : lists().timers_)
                timer.bind(instance->device);
            for (const auto& bind : lists().binders_)
                bind(instance->device);
            for (const auto& bind : lists().window_binders_)
                bind(*instance);
            *device = instance.release();
            return BACKPLANE_OK;
        } catch (const std::exception& error) {
            host->fail(host->context, error.what());
        } catch (...) {
            host->fail(host->context, "an unknown exception");
        }
        return BACKPLANE_FAILED;
    }

    static backplane_status start(void* device) noexcept {
        if constexpr (requires(T& t) {
                          { t.start() } -> std::same_as<Outcome>;
                      }) {
            T& target = self(device)->device;
            const Outcome outcome = target.start();
            if (outcome) return BACKPLANE_OK;
            target.host().fail(target.host().context, outcome.error().c_str());
            return BACKPLANE_FAILED;
        }
        return BACKPLANE_OK;
    }

    static void restored(void* device) noexcept {
        Instance<T>& instance = *self(device);
        for (const auto& timer : lists().timers_)
            timer.timer(instance.device).restored();
        for (const auto& function : lists().functions_)
            function(instance.device).restored();
        if constexpr (requires(T& t) { t.restored(); }) instance.device.restored();
    }
};

}  // namespace backplane
