// A machine that was checked against the loaded plugins: everything that is needed to build it, and
// nothing to doubt.
#pragma once

#include "runtime/source_place.h"

#include <backplane/abi/device.h>

#include <cstdint>
#include <deque>
#include <filesystem>
#include <string>
#include <vector>

namespace backplane::runtime {

// The address spaces that every machine has: components without a type, each with one port,
// `space`, of interface backplane.address-space/1. No device may take their names.
inline constexpr const char* memory_space = "memory";
inline constexpr const char* io_space = "io";
// Addresses from 0 to here, exclusive. Memory: the widest physical address of x86-64 (SDM
// 3A 4.1.4).
inline constexpr std::uint64_t memory_space_size = std::uint64_t{1} << 52;
inline constexpr std::uint64_t io_space_size = std::uint64_t{1} << 16;

enum class ClockMode { Realtime, Deterministic };

// An entry of `plugins`.
struct PluginRequest {
    std::string name;            // a bare name, looked up on the search path; or empty
    std::filesystem::path path;  // an absolute path; or empty
    Place place;
};

// A window of a component, or a part of it, at an address. One window may be mapped several times.
struct WindowMapping {
    std::uint32_t port = 0;  // index into the type's ports
    std::string space;       // memory_space or io_space
    std::uint64_t base = 0;
    std::int32_t priority = 0;  // where mappings overlap the highest is seen
    std::uint64_t offset = 0;   // first byte of the window that is mapped
    std::uint64_t size = 0;     // bytes mapped; 0 = from offset to the end of the window
    Place place;
};

// A connection from a port that REQUIRES to a port of another (or the same) component that
// PROVIDES.
struct LinkDescription {
    std::uint32_t port = 0;  // of the component that has this link; index into its type's ports
    std::uint32_t element = 0;
    std::string target;             // a component's name, or memory_space or io_space
    std::uint32_t target_port = 0;  // index into the target type's ports; 0 for the built-in spaces
    std::uint32_t target_element = 0;
    Place place;  // empty: the port's connect_to default was used
};

// One value for each property of a type, in declared order, as backplane_device_type::create takes
// them.
class PropertyValues {
public:
    PropertyValues() = default;
    PropertyValues(PropertyValues&&) noexcept = default;
    PropertyValues& operator=(PropertyValues&&) noexcept = default;
    PropertyValues(const PropertyValues&) = delete;  // values() points into texts_
    PropertyValues& operator=(const PropertyValues&) = delete;

    void add(backplane_value value) { values_.push_back(value); }
    void add_text(std::string text) {
        backplane_value value{};
        value.text = texts_.emplace_back(std::move(text)).c_str();
        values_.push_back(value);
    }

    [[nodiscard]] const backplane_value* data() const { return values_.data(); }
    [[nodiscard]] std::size_t size() const { return values_.size(); }
    [[nodiscard]] const backplane_value& operator[](std::size_t index) const {
        return values_[index];
    }

private:
    std::vector<backplane_value> values_;
    std::deque<std::string>
        texts_;  // a deque keeps its elements where they are, also when it is moved
};

struct ComponentDescription {
    std::string name;
    const backplane_device_type* type = nullptr;
    Place place;                  // its name in the machine file
    std::uint32_t log_level = 0;  // backplane_log_level
    PropertyValues values;
    std::vector<WindowMapping> windows;  // by port, then as written
    std::vector<LinkDescription> links;  // by port, element, then as written
};

struct MachineDescription {
    std::string name;
    std::string description;
    ClockMode clock = ClockMode::Realtime;
    // deterministic: instructions per second of guest time
    std::uint64_t frequency = 1'000'000'000;
    std::uint32_t log_level = 0;  // backplane_log_level of what is not a component
    std::vector<PluginRequest> plugins;
    std::vector<ComponentDescription>
        components;  // in the order in which the files first name them
};

}  // namespace backplane::runtime
