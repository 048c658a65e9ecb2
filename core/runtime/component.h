// One device of a running machine: the instance, and the host services it was given.
#pragma once

#include "runtime/guest_memory.h"
#include "runtime/io_loop.h"
#include "runtime/machine_description.h"
#include "runtime/virtual_clock.h"

#include <backplane/abi.h>

#include <deque>
#include <expected>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace backplane::runtime {

class Machine;

class Component {
public:
    // Creates the instance; nothing is connected yet. `machine` outlives it. The error names the
    // component.
    static std::expected<std::unique_ptr<Component>, std::string>
    create(Machine& machine, const ComponentDescription& description);
    Component(const Component&) = delete;
    Component& operator=(const Component&) = delete;
    ~Component();

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const backplane_device_type& type() const { return *type_; }
    [[nodiscard]] std::uint64_t window_size(std::uint32_t port) const;
    // The same link however often it is asked for.
    [[nodiscard]] backplane_link provide(std::uint32_t port, std::uint32_t element);
    [[nodiscard]] std::expected<void, std::string>
    connect(std::uint32_t port, std::uint32_t element, backplane_link link);
    [[nodiscard]] std::expected<void, std::string> start();
    void reset(backplane_reset_kind kind);
    void stop();
    // [any] In declared order.
    [[nodiscard]] std::vector<std::uint64_t> statistics() const;

    // Saved state as the declaration lays it out: every field's bytes, one after another.
    [[nodiscard]] std::vector<std::byte> save() const;
    void restore(std::span<const std::byte> state);

    [[nodiscard]] std::uint64_t committed_memory() const;
    // Blocks of guest memory in the order in which the device asked for them.
    [[nodiscard]] const std::deque<GuestMemory>& memory() const { return memory_; }

private:
    Component(Machine& machine, const ComponentDescription& description);

    static const backplane_host& services();
    std::string take_failure(const char* doing);
    // The block that allocate_memory gave; empty when it is another's.
    [[nodiscard]] std::span<std::byte> block_of(const void* memory) const;

    Machine& machine_;
    std::string name_;
    const backplane_device_type* type_;
    backplane_host host_;
    std::string failure_;
    std::deque<GuestMemory> memory_;
    std::vector<std::shared_ptr<IoLoop::Watch>> watches_;
    std::vector<VirtualClock::Timer*> timers_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, backplane_link> provided_;
    void* device_ = nullptr;
};

}  // namespace backplane::runtime
