// What the declaration of a device type is collected in; each header of this folder adds the calls
// for one kind of thing to it.
#pragma once

#include <backplane/abi.h>
#include <backplane/instance.h>
#include <backplane/pci.h>
#include <backplane/registers.h>
#include <backplane/timer.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace backplane {

template <class T>
class DeviceFunctions;

template <class T>
class DeclarationLists {
public:
    DeclarationLists() = default;
    DeclarationLists(const DeclarationLists&) = delete;
    DeclarationLists& operator=(const DeclarationLists&) = delete;

protected:
    friend class DeviceFunctions<T>;
    ~DeclarationLists() = default;

    struct PortBehaviour {
        std::function<backplane_link(Instance<T>&, std::uint32_t)> provide;
        std::function<void(T&, std::uint32_t, backplane_link)> connect;
        std::function<std::uint64_t(T&)> window_size;
    };

    struct TimerBehaviour {
        std::function<Timer&(T&)> timer;
        std::function<void(T&)> bind;
    };

    const char* intern(std::string text) { return strings_.emplace_back(std::move(text)).c_str(); }

    PortBehaviour& add_port(backplane_port_role role, const char* name, const char* id,
                            const char* doc) {
        backplane_port entry{};
        entry.struct_size = sizeof entry;
        entry.role = role;
        entry.count = 1;
        entry.name = name;
        entry.interface_id = id;
        entry.doc = doc;
        ports_.push_back(entry);
        return behaviours_.emplace_back();
    }

    void add_state(const char* name, std::uint32_t kind, std::size_t element_size,
                   std::size_t count, std::function<void*(Instance<T>&)> address) {
        backplane_state_field entry{};
        entry.struct_size = sizeof entry;
        entry.kind = kind;
        entry.element_size = static_cast<std::uint32_t>(element_size);
        entry.count = static_cast<std::uint32_t>(count);
        entry.name = name;
        state_.push_back(entry);
        addresses_.push_back(std::move(address));
    }

    T prototype_;
    std::deque<std::string> strings_;
    std::deque<std::vector<const char*>> choices_;
    std::deque<backplane_property> properties_;
    std::vector<std::function<void(T&, const backplane_value&)>> setters_;
    std::vector<backplane_port> ports_;
    std::deque<PortBehaviour> behaviours_;
    std::deque<RegisterBank<T>> banks_;
    std::vector<std::uint32_t> bank_ports_;
    std::deque<std::vector<backplane_register_field>> fields_;
    std::vector<backplane_register> registers_;
    std::vector<backplane_statistic> statistics_;
    std::vector<std::function<std::uint64_t(T&)>> readers_;
    std::vector<backplane_state_field> state_;
    std::vector<std::function<void*(Instance<T>&)>> addresses_;
    std::vector<TimerBehaviour> timers_;
    std::vector<std::function<void(T&)>> binders_;
    std::vector<std::function<void(Instance<T>&)>> window_binders_;
    std::vector<std::function<PciFunction&(T&)>> functions_;
};

}  // namespace backplane
