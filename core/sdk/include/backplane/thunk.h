// Plain functions for C tables out of member functions: thunk<&Uart::send> takes the device as its
// first argument. noexcept, as all that crosses the seam: an exception that a device lets out ends
// the program where it was thrown.
#pragma once

namespace backplane {

template <auto method>
struct Thunk;

template <class T, class Result, class... Arguments, Result (T::*method)(Arguments...)>
struct Thunk<method> {
    static Result call(void* object, Arguments... arguments) noexcept {
        return (static_cast<T*>(object)->*method)(arguments...);
    }
};

template <class T, class Result, class... Arguments, Result (T::*method)(Arguments...) const>
struct Thunk<method> {
    static Result call(void* object, Arguments... arguments) noexcept {
        return (static_cast<const T*>(object)->*method)(arguments...);
    }
};

template <auto method>
inline constexpr auto thunk = &Thunk<method>::call;

}  // namespace backplane
