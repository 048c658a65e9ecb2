// A test bench for one device of any plugin, in C++ or C: properties by name, register accesses,
// recorded lines, and a clock the test moves. It works through the C seam only, so what passes here
// holds in a machine.
//
//   DeviceBench bench{Declaration<Timer>::device_type(), {{"frequency", 1000}}};
//   bench.power_on();
//   bench.window("registers").write32(0x4, 10);
//   bench.advance(std::chrono::milliseconds{10});
//   EXPECT_TRUE(bench.level("irq"));
//
// Elements of ports with several are written as in machine files: "inputs.3". A wrong name or value
// throws.
#pragma once

#include <backplane/abi.h>
#include <backplane/connection.h>
#include <backplane/testing/fake_clock.h>
#include <backplane/testing/fake_connections.h>
#include <backplane/testing/fake_host.h>
#include <backplane/units.h>

#include <concepts>
#include <cstdint>
#include <cstring>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane::testing {

// One property as a test writes it; choices are given as text.
struct Setting {
    template <std::integral V>
    Setting(const char* property, V value)
        : name{property}, number{static_cast<std::uint64_t>(value)} {}
    Setting(const char* property, Bytes value) : name{property}, number{value.value} {}
    Setting(const char* property, Hertz value) : name{property}, number{value.value} {}
    Setting(const char* property, Duration value)
        : name{property}, number{static_cast<std::uint64_t>(value.count())} {}
    Setting(const char* property, std::string value)
        : name{property}, text{std::move(value)}, is_text{true} {}

    std::string name;
    std::uint64_t number = 0;
    std::string text;
    bool is_text = false;
};

// A window as the host makes accesses to it: too large ones are split, host memory is reached
// directly.
class WindowProbe {
public:
    explicit WindowProbe(backplane_link link, std::uint64_t size)
        : window_{static_cast<const backplane_window*>(link.functions)}, object_{link.object},
          size_{size} {}

    std::uint8_t read8(std::uint64_t offset) const {
        return static_cast<std::uint8_t>(read(offset, 1));
    }
    std::uint16_t read16(std::uint64_t offset) const {
        return static_cast<std::uint16_t>(read(offset, 2));
    }
    std::uint32_t read32(std::uint64_t offset) const {
        return static_cast<std::uint32_t>(read(offset, 4));
    }
    std::uint64_t read64(std::uint64_t offset) const { return read(offset, 8); }
    void write8(std::uint64_t offset, std::uint8_t value) const { write(offset, 1, value); }
    void write16(std::uint64_t offset, std::uint16_t value) const { write(offset, 2, value); }
    void write32(std::uint64_t offset, std::uint32_t value) const { write(offset, 4, value); }
    void write64(std::uint64_t offset, std::uint64_t value) const { write(offset, 8, value); }

    std::uint64_t read(std::uint64_t offset, std::uint32_t size) const {
        check(offset, size);
        if ((window_->flags & BACKPLANE_WINDOW_READ_DIRECT) != 0) {
            std::uint64_t value = 0;
            std::memcpy(&value, window_->memory + offset, size);
            return value;
        }
        const std::uint32_t part = part_size(size);
        std::uint64_t value = 0;
        for (std::uint32_t at = 0; at < size; at += part)
            value |= (window_->read(object_, offset + at, part) & mask(part)) << (at * 8);
        return value;
    }

    void write(std::uint64_t offset, std::uint32_t size, std::uint64_t value) const {
        check(offset, size);
        if ((window_->flags & BACKPLANE_WINDOW_WRITE_DIRECT) != 0) {
            std::memcpy(window_->memory + offset, &value, size);
            return;
        }
        if (window_->write == nullptr) return;
        const std::uint32_t part = part_size(size);
        for (std::uint32_t at = 0; at < size; at += part)
            window_->write(object_, offset + at, part, (value >> (at * 8)) & mask(part));
    }

    // As string instructions do; 0 where the window takes single accesses only.
    std::uint32_t read_many(std::uint64_t offset, std::uint32_t size,
                            std::span<std::byte> data) const {
        check(offset, size);
        if (window_->read_many == nullptr || part_size(size) != size) return 0;
        return window_->read_many(object_, offset, size, data.data(),
                                  static_cast<std::uint32_t>(data.size() / size));
    }
    std::uint32_t write_many(std::uint64_t offset, std::uint32_t size,
                             std::span<const std::byte> data) const {
        check(offset, size);
        if (window_->write_many == nullptr || part_size(size) != size) return 0;
        return window_->write_many(object_, offset, size, data.data(),
                                   static_cast<std::uint32_t>(data.size() / size));
    }

    std::uint64_t size() const { return size_; }
    const backplane_window& functions() const { return *window_; }

private:
    static std::uint64_t mask(std::uint32_t size) {
        return size == 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << (size * 8)) - 1;
    }

    void check(std::uint64_t offset, std::uint32_t size) const {
        if (offset > size_ || size > size_ - offset)
            throw std::out_of_range{"access beyond the end of the window"};
    }

    std::uint32_t part_size(std::uint32_t size) const {
        while (size > 1 && window_->access_sizes != 0 && (window_->access_sizes & size) == 0)
            size /= 2;
        return size;
    }

    const backplane_window* window_;
    void* object_;
    std::uint64_t size_;
};

class DeviceBench {
public:
    struct Edge {
        Duration at;
        bool level;
        bool operator==(const Edge&) const = default;
    };

    explicit DeviceBench(const backplane_device_type* type, std::vector<Setting> settings = {},
                         FakeClock* clock = nullptr)
        : own_clock_{clock == nullptr ? std::make_unique<FakeClock>() : nullptr},
          clock_{clock == nullptr ? *own_clock_ : *clock}, host_{clock_}, type_{*type},
          settings_{std::move(settings)} {
        const std::vector<backplane_value> values = property_values();
        created_ = type_.create(host_.functions(), values.data(), &device_) == BACKPLANE_OK;
        if (!created_) return;
        for (std::uint32_t port = 0; port < type_.port_count; ++port)
            for (std::uint32_t element = 0; element < type_.ports[port].count; ++element)
                prepare_port(port, element);
    }

    ~DeviceBench() {
        if (!created_) return;
        if (started_ && type_.stop != nullptr) type_.stop(device_);
        type_.destroy(device_);
    }

    DeviceBench(const DeviceBench&) = delete;
    DeviceBench& operator=(const DeviceBench&) = delete;

    // ---- Before power-on: wiring ----

    DeviceBench& connect(std::string_view port, backplane_link link) {
        const auto [index, element] = find_port(port, BACKPLANE_REQUIRES);
        if (type_.connect(device_, index, element, link) != BACKPLANE_OK)
            throw std::runtime_error{host_.failure};
        return *this;
    }

    // Anything with `link()`: the fakes of fake_connections.h.
    template <class Fake>
        requires requires(Fake& fake) {
            { fake.link() } -> std::same_as<backplane_link>;
        }
    DeviceBench& connect(std::string_view port, Fake& fake) {
        return connect(port, fake.link());
    }

    DeviceBench& connect(std::string_view port, DeviceBench& other, std::string_view other_port) {
        return connect(port, other.link(other_port));
    }

    // Starts the device and resets it. False when the device refuses: see failure().
    bool power_on() {
        if (!created_) return false;
        if (type_.start != nullptr && type_.start(device_) != BACKPLANE_OK) return false;
        started_ = true;
        reset(BACKPLANE_RESET_POWER_ON);
        return true;
    }

    void reset(std::uint32_t kind = BACKPLANE_RESET_MACHINE) { type_.reset(device_, kind); }

    // ---- What the guest and the neighbours do ----

    WindowProbe window(std::string_view port) {
        const auto [index, element] = find_port(port, BACKPLANE_PROVIDES);
        std::uint64_t size = type_.ports[index].size;
        if (size == 0 && type_.window_size != nullptr) size = type_.window_size(device_, index);
        return WindowProbe{provided_.at({index, element}), size};
    }

    // The functions and object behind a provided port.
    backplane_link link(std::string_view port) {
        const auto [index, element] = find_port(port, BACKPLANE_PROVIDES);
        return provided_.at({index, element});
    }

    template <class Functions>
    Connection<Functions> service(std::string_view port) {
        return Connection<Functions>{link(port)};
    }

    // Drives a line input, which is called only when its level changes.
    void set_line(std::string_view port, bool level) {
        const backplane_link input = link(port);
        bool& current = input_levels_[find_port(port, BACKPLANE_PROVIDES)];
        if (current == level) return;
        current = level;
        static_cast<const backplane_line*>(input.functions)->set(input.object, level);
    }

    void advance(Duration span) { clock_.advance(span); }
    Duration now() const { return clock_.now(); }
    FakeClock& clock() { return clock_; }

    // ---- What the device did ----

    bool level(std::string_view port) { return output(port).level; }
    const std::vector<Edge>& edges(std::string_view port) { return output(port).edges; }
    // Rising edges since the last call.
    std::size_t rises(std::string_view port) {
        Output& line = output(port);
        std::size_t count = 0;
        for (; line.seen < line.edges.size(); ++line.seen)
            count += line.edges[line.seen].level;
        return count;
    }

    std::uint64_t statistic(std::string_view name) const {
        std::vector<std::uint64_t> values(type_.statistic_count);
        if (!values.empty()) type_.read_statistics(device_, values.data());
        for (std::uint32_t index = 0; index < type_.statistic_count; ++index)
            if (name == type_.statistics[index].name) return values[index];
        throw std::invalid_argument{"no statistic " + std::string{name}};
    }

    FakeHost& host() { return host_; }
    const std::string& failure() const { return host_.failure; }
    const std::vector<std::string>& reset_requests() const { return host_.reset_requests; }

    // ---- Saved state ----

    // Each declared field, then the contents of each writable memory window, by name.
    using SavedState = std::map<std::string, std::vector<std::uint8_t>>;

    SavedState save() const {
        SavedState state;
        for_each_state([&](const std::string& name, void* address, std::size_t size) {
            state[name].assign(static_cast<std::uint8_t*>(address),
                               static_cast<std::uint8_t*>(address) + size);
        });
        return state;
    }

    void restore(const SavedState& state) {
        for_each_state([&](const std::string& name, void* address, std::size_t size) {
            const auto& bytes = state.at(name);
            if (bytes.size() != size) throw std::invalid_argument{name + " has another size"};
            std::memcpy(address, bytes.data(), size);
        });
        if (type_.restored != nullptr) type_.restored(device_);
    }

    struct Output {
        bool level = false;
        std::vector<Edge> edges;
        std::size_t seen = 0;
        DeviceBench* bench = nullptr;
    };

    using PortElement = std::pair<std::uint32_t, std::uint32_t>;
    std::map<PortElement, Output>& outputs() { return outputs_; }
    std::map<PortElement, bool>& input_levels() { return input_levels_; }
    const backplane_device_type& type() const { return type_; }
    const std::vector<Setting>& settings() const { return settings_; }

private:
    template <class Visit>
    void for_each_state(Visit visit) const {
        for (std::uint32_t field = 0; field < type_.state_count; ++field) {
            const auto& entry = type_.state[field];
            visit(entry.name, type_.state_address(device_, field),
                  std::size_t{entry.element_size} * entry.count);
        }
        for (const auto& [where, link] : provided_) {
            const std::string_view id = type_.ports[where.first].interface_id;
            if (id != BACKPLANE_MEMORY_WINDOW || link.functions == nullptr) continue;
            const auto& window = *static_cast<const backplane_window*>(link.functions);
            if ((window.flags & BACKPLANE_WINDOW_WRITE_DIRECT) == 0) continue;
            std::uint64_t size = type_.ports[where.first].size;
            if (size == 0) size = type_.window_size(device_, where.first);
            if (size != 0)
                visit(std::string{"memory of "} + type_.ports[where.first].name, window.memory,
                      size);
        }
    }

    std::vector<backplane_value> property_values() {
        std::vector<backplane_value> values;
        for (std::uint32_t index = 0; index < type_.property_count; ++index)
            values.push_back(type_.properties[index].initial);
        for (const Setting& setting : settings_) {
            std::uint32_t index = 0;
            while (index < type_.property_count && setting.name != type_.properties[index].name)
                ++index;
            if (index == type_.property_count)
                throw std::invalid_argument{"no property " + setting.name};
            values[index] = property_value(type_.properties[index], setting);
        }
        return values;
    }

    static backplane_value property_value(const backplane_property& property,
                                          const Setting& setting) {
        const bool takes_text = property.kind == BACKPLANE_TEXT ||
                                property.kind == BACKPLANE_PATH ||
                                property.kind == BACKPLANE_CHOICE;
        if (takes_text != setting.is_text)
            throw std::invalid_argument{"property " + setting.name + " is of another kind"};
        backplane_value value{};
        if (property.kind == BACKPLANE_CHOICE) {
            while (value.u < property.choice_count && setting.text != property.choices[value.u])
                ++value.u;
            if (value.u == property.choice_count)
                throw std::invalid_argument{"property " + setting.name + " cannot be " +
                                            setting.text};
        } else if (takes_text) {
            value.text = setting.text.c_str();
        } else {
            value.u = setting.number;
        }
        return value;
    }

    // Takes what the device provides, and puts a recorder on each of its lines.
    void prepare_port(std::uint32_t port, std::uint32_t element) {
        const auto& entry = type_.ports[port];
        if (entry.role == BACKPLANE_PROVIDES) {
            provided_[{port, element}] = type_.provide(device_, port, element);
        } else if (std::string_view{entry.interface_id} == BACKPLANE_LINE) {
            static constexpr backplane_line recorder{
                sizeof(backplane_line), 0, [](void* object, std::int32_t level) {
                    auto& line = *static_cast<Output*>(object);
                    line.level = level != 0;
                    line.edges.push_back({line.bench->now(), level != 0});
                }};
            Output& line = outputs_[{port, element}];
            line.bench = this;
            type_.connect(device_, port, element, {&recorder, &line});
        }
    }

    // Port and element of "name" or "name.3".
    PortElement find_port(std::string_view text, std::uint32_t role) const {
        const std::size_t dot = text.rfind('.');
        for (std::uint32_t port = 0; port < type_.port_count; ++port) {
            const auto& entry = type_.ports[port];
            if (entry.role != role) continue;
            if (text == entry.name) return {port, 0};
            if (dot == std::string_view::npos || text.substr(0, dot) != entry.name) continue;
            const auto element = static_cast<std::uint32_t>(
                std::stoul(std::string{text.substr(dot + 1)}));
            if (element < entry.count) return {port, element};
        }
        throw std::invalid_argument{std::string{type_.name} +
                                    " has no such port: " + std::string{text}};
    }

    Output& output(std::string_view port) {
        return outputs_.at(find_port(port, BACKPLANE_REQUIRES));
    }

    std::unique_ptr<FakeClock> own_clock_;
    FakeClock& clock_;
    FakeHost host_;
    const backplane_device_type& type_;
    std::vector<Setting> settings_;
    void* device_ = nullptr;
    bool created_ = false, started_ = false;
    std::map<PortElement, backplane_link> provided_;
    std::map<PortElement, Output> outputs_;
    std::map<PortElement, bool> input_levels_;
};

}  // namespace backplane::testing
