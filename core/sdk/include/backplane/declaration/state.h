// What the snapshots of a device type save: members, and timers.
#pragma once

#include <backplane/declaration/lists.h>
#include <backplane/timer.h>
#include <backplane/units.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>

namespace backplane {

template <class T>
class DeclaresState : protected virtual DeclarationLists<T> {
public:
    // void expire()
    template <auto expire, class Accessor>
    void timer(const char* name, Accessor accessor) {
        timers_.push_back(
            {accessor, [accessor, name](T& device) {
                 std::invoke(accessor, device)
                     .bind(
                         &device.host(), name,
                         [](void* object) noexcept { (static_cast<T*>(object)->*expire)(); },
                         &device);
             }});
        add_state(intern(std::string{name} + ".running"), BACKPLANE_STATE_BOOLEAN, 1, 1,
                  [accessor](Instance<T>& instance) {
                      return static_cast<void*>(
                          &std::invoke(accessor, instance.device).saved_running());
                  });
        add_state(intern(std::string{name} + ".deadline"), BACKPLANE_STATE_SIGNED, 8, 1,
                  [accessor](Instance<T>& instance) {
                      return static_cast<void*>(
                          &std::invoke(accessor, instance.device).saved_deadline());
                  });
    }

    // Integers, bool, enums, Duration, and std::array of them (nested too).
    template <class Accessor>
    void saved(std::string name, Accessor accessor) {
        using Member = std::remove_cvref_t<std::invoke_result_t<Accessor, T&>>;
        using Element = typename Scalar<Member>::type;
        static_assert(std::is_integral_v<Element> || std::is_enum_v<Element> ||
                          std::is_same_v<Element, Duration>,
                      "saved state is integers, bool, enums, Duration and arrays of them");
        add_state(intern(std::move(name)), state_kind<Element>(), sizeof(Element),
                  sizeof(Member) / sizeof(Element), [accessor](Instance<T>& instance) {
                      return static_cast<void*>(&std::invoke(accessor, instance.device));
                  });
    }

private:
    using Lists = DeclarationLists<T>;
    using Lists::add_state;
    using Lists::intern;
    using Lists::timers_;

    template <class V> struct Scalar {
        using type = V;
    };
    template <class V, std::size_t n> struct Scalar<std::array<V, n>> {
        using type = typename Scalar<V>::type;
    };

    template <class Element>
    static constexpr std::uint32_t state_kind() {
        if constexpr (std::is_same_v<Element, bool>)
            return BACKPLANE_STATE_BOOLEAN;
        else if constexpr (std::is_signed_v<Element> || std::is_same_v<Element, Duration>)
            return BACKPLANE_STATE_SIGNED;
        else
            return BACKPLANE_STATE_UNSIGNED;
    }
};

}  // namespace backplane
