// One instance of a device type, driven through its declaration alone, as the host would.
#pragma once

#include "sdk/fake_host.h"

#include <backplane/abi.h>

#include <cstddef>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::test {

class DeviceUnderTest {
public:
    using SavedState = std::map<std::string, std::vector<std::byte>>;

    // Properties have their defaults, but for those in `settings`.
    explicit DeviceUnderTest(const backplane_device_type& type,
                             const std::map<std::string, std::uint64_t>& settings = {})
        : type_{type} {
        std::vector<backplane_value> values;
        for (std::uint32_t i = 0; i < type.property_count; ++i) {
            values.push_back(type.properties[i].initial);
            if (const auto it = settings.find(type.properties[i].name); it != settings.end())
                values.back().u = it->second;
        }
        if (type.create(host_.host(), values.data(), &device_) != BACKPLANE_OK)
            throw std::runtime_error{"create: " + host_.failure()};
    }
    ~DeviceUnderTest() { type_.destroy(device_); }
    DeviceUnderTest(const DeviceUnderTest&) = delete;

    void start() {
        if (type_.start && type_.start(device_) != BACKPLANE_OK)
            throw std::runtime_error{"start: " + host_.failure()};
        type_.reset(device_, BACKPLANE_RESET_POWER_ON);
    }
    void reset() { type_.reset(device_, BACKPLANE_RESET_MACHINE); }
    void advance(std::uint64_t nanoseconds) { host_.advance(nanoseconds); }

    std::uint64_t read(std::string_view window, std::uint64_t offset, std::uint32_t size) {
        const backplane_link link = provided(window);
        return static_cast<const backplane_window*>(link.functions)
            ->read(link.object, offset, size);
    }
    void write(std::string_view window, std::uint64_t offset, std::uint32_t size,
               std::uint64_t value) {
        const backplane_link link = provided(window);
        static_cast<const backplane_window*>(link.functions)
            ->write(link.object, offset, size, value);
    }

    // Every level an output was driven to, in order, from now on.
    const std::vector<int>& record(std::string_view output) {
        static constexpr backplane_line recorder{
            sizeof recorder, 0, [](void* object, std::int32_t level) {
                static_cast<std::vector<int>*>(object)->push_back(level);
            }};
        std::vector<int>& levels = levels_[std::string{output}];
        if (type_.connect(device_, port(output), 0, {&recorder, &levels}) != BACKPLANE_OK)
            throw std::runtime_error{"connect: " + host_.failure()};
        return levels;
    }

    SavedState save() {
        SavedState state;
        each_field([&](const char* name, std::byte* data, std::size_t size) {
            state[name].assign(data, data + size);
        });
        return state;
    }
    void restore(const SavedState& state) {
        each_field([&](const char* name, std::byte* data, std::size_t size) {
            std::memcpy(data, state.at(name).data(), size);
        });
        if (type_.restored) type_.restored(device_);
    }

private:
    std::uint32_t port(std::string_view name) const {
        for (std::uint32_t i = 0; i < type_.port_count; ++i)
            if (name == type_.ports[i].name) return i;
        throw std::runtime_error{"no such port: " + std::string{name}};
    }

    backplane_link provided(std::string_view name) {
        const auto it = provided_.find(name);
        if (it != provided_.end()) return it->second;
        return provided_[std::string{name}] = type_.provide(device_, port(name), 0);
    }

    template <class Visit> void each_field(Visit visit) {
        for (std::uint32_t i = 0; i < type_.state_count; ++i) {
            const backplane_state_field& field = type_.state[i];
            visit(field.name, static_cast<std::byte*>(type_.state_address(device_, i)),
                  std::size_t{field.element_size} * field.count);
        }
    }

    const backplane_device_type& type_;
    FakeHost host_;
    void* device_ = nullptr;
    std::map<std::string, backplane_link, std::less<>> provided_;
    std::map<std::string, std::vector<int>> levels_;
};

}  // namespace backplane::test
