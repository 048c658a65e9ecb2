// What a device type needs from others and offers to them: services, memory, address spaces.
#pragma once

#include <backplane/address_space.h>
#include <backplane/connection.h>
#include <backplane/declaration/lists.h>

#include <cstdint>
#include <functional>
#include <type_traits>

namespace backplane {

enum class Optional : bool { No, Yes };

template <class T>
class DeclaresConnections : protected virtual DeclarationLists<T> {
public:
    // `accessor` gives a Connection<Functions>; `connect_to` names the provider used when the
    // machine file is silent.
    template <class Accessor>
    void connects(const char* name, Accessor accessor, const char* doc,
                  Optional optional = Optional::No, const char* connect_to = nullptr) {
        using Member = std::remove_cvref_t<std::invoke_result_t<Accessor, T&>>;
        auto& behaviour = add_port(BACKPLANE_REQUIRES, name,
                                   interface_id<typename Member::Functions>, doc);
        ports_.back().flags = optional == Optional::Yes ? BACKPLANE_OPTIONAL : 0;
        ports_.back().connect_to = connect_to;
        behaviour.connect = [accessor](T& device, std::uint32_t, backplane_link link) {
            std::invoke(accessor, device) = Member{link};
        };
    }

    // `accessor` gives a std::vector<Connection<Functions>>: any number of providers, in the
    // machine file's order.
    template <class Accessor>
    void connects_all(const char* name, Accessor accessor, const char* doc) {
        using Member = typename std::remove_cvref_t<std::invoke_result_t<Accessor, T&>>::value_type;
        auto& behaviour = add_port(BACKPLANE_REQUIRES, name,
                                   interface_id<typename Member::Functions>, doc);
        ports_.back().flags = BACKPLANE_OPTIONAL | BACKPLANE_MULTIPLE;
        behaviour.connect = [accessor](T& device, std::uint32_t, backplane_link link) {
            std::invoke(accessor, device).push_back(Member{link});
        };
    }

    // Another component's window, which this one places in address spaces itself, as a host bridge
    // does with memory. `accessor` gives a Connection<backplane_window>.
    template <class Accessor>
    void connects_memory(const char* name, Accessor accessor, const char* doc,
                         Optional optional = Optional::No) {
        connects_window(name, BACKPLANE_MEMORY_WINDOW, accessor, doc, optional);
    }

    template <class Accessor>
    void connects_ports(const char* name, Accessor accessor, const char* doc,
                        Optional optional = Optional::No) {
        connects_window(name, BACKPLANE_PORT_WINDOW, accessor, doc, optional);
    }

    template <class Accessor>
    void address_space(const char* name, Accessor accessor, const char* doc,
                       const char* connect_to = "memory") {
        auto& behaviour = add_port(BACKPLANE_REQUIRES, name, BACKPLANE_ADDRESS_SPACE, doc);
        ports_.back().connect_to = connect_to;
        behaviour.connect = [accessor](T& device, std::uint32_t, backplane_link link) {
            std::invoke(accessor, device) = AddressSpace{link, device.host().name};
        };
    }

    // A service of this device; `functions` lives as long as the plugin, its first arguments are
    // the T (thunk.h).
    template <class Functions>
    void provides(const char* name, const Functions& functions, const char* doc) {
        auto& behaviour = add_port(BACKPLANE_PROVIDES, name, interface_id<Functions>, doc);
        behaviour.provide = [&functions](Instance<T>& instance, std::uint32_t) {
            return backplane_link{&functions, &instance.device};
        };
    }

    // A service in `count` elements, such as the slots of a bus. backplane_link link(unsigned
    // element) gives the functions and the object of one.
    template <class Functions, auto link>
    void provides_each(const char* name, std::uint32_t count, const char* doc,
                       std::uint32_t flags = 0) {
        auto& behaviour = add_port(BACKPLANE_PROVIDES, name, interface_id<Functions>, doc);
        ports_.back().count = count;
        ports_.back().flags = flags;
        behaviour.provide = [](Instance<T>& instance, std::uint32_t element) {
            return (instance.device.*link)(element);
        };
    }

private:
    using Lists = DeclarationLists<T>;
    using Lists::add_port;
    using Lists::ports_;

    template <class Accessor>
    void connects_window(const char* name, const char* id, Accessor accessor, const char* doc,
                         Optional optional) {
        auto& behaviour = add_port(BACKPLANE_REQUIRES, name, id, doc);
        ports_.back().flags = optional == Optional::Yes ? BACKPLANE_OPTIONAL : 0;
        behaviour.connect = [accessor](T& device, std::uint32_t, backplane_link link) {
            std::invoke(accessor, device) = Connection<backplane_window>{link};
        };
    }
};

}  // namespace backplane
