// The base of every device written in C++: the host's services for this one component.
//
// A device is a class derived from Device with a default constructor and a static function
// `declare` (declaration.h), which lists everything about it once. It may have these members, all
// optional:
//
//   Outcome start()        everything is set and connected; once, before the first reset
//   void reset(ResetKind)  go to the power-on values
//   void stop()            the machine is going away: end threads, give back the terminal
//   void restored()        saved state was loaded: rebuild what is derived from it
//
// Calls come with the machine lock held: a device needs no locks unless it starts threads itself.
#pragma once

#include <backplane/abi.h>
#include <backplane/units.h>

#include <expected>
#include <ios>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

namespace backplane {

// Nothing, or why it cannot be.
using Outcome = std::expected<void, std::string>;

enum class ResetKind : std::uint32_t {
    PowerOn = BACKPLANE_RESET_POWER_ON,
    Machine = BACKPLANE_RESET_MACHINE
};

enum class LogLevel : std::uint32_t {
    Error = BACKPLANE_LOG_ERROR,
    Warning = BACKPLANE_LOG_WARNING,
    Info = BACKPLANE_LOG_INFO,
    Debug = BACKPLANE_LOG_DEBUG,
    Trace = BACKPLANE_LOG_TRACE
};

// For log lines: prints as 0x1f.
struct Hex {
    std::uint64_t value;
    friend std::ostream& operator<<(std::ostream& out, Hex hex) {
        const auto flags = out.flags();
        out << "0x" << std::hex << hex.value;
        out.flags(flags);
        return out;
    }
};

class Device {
public:
    Device() = default;
    Device(const Device&) = delete;
    Device& operator=(const Device&) = delete;

    std::string_view name() const { return host_->name; }
    Duration now() const { return Duration{static_cast<std::int64_t>(host_->now(host_->context))}; }

    // The parts are written one after another; nothing is formatted when the level is off.
    template <class... Parts>
    void log(LogLevel level, const Parts&... parts) const {
        if (static_cast<std::uint32_t>(level) > host_->log_level) return;
        std::ostringstream text;
        (text << ... << parts);
        host_->log(host_->context, static_cast<std::uint32_t>(level), text.str().c_str());
    }

    void request_reset(const std::string& why) const {
        host_->request_reset(host_->context, why.c_str());
    }
    void request_power_off(int exit_code, const std::string& why) const {
        host_->request_power_off(host_->context, exit_code, why.c_str());
    }

    const backplane_host& host() const { return *host_; }

    // For the wrapper only, right after construction.
    void bind(const backplane_host* host) { host_ = host; }

private:
    const backplane_host* host_ = nullptr;
};

}  // namespace backplane
