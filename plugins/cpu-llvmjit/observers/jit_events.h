// Events about compiled code, for who wants each block and not only totals.
#pragma once

#include "code_watcher.h"

#include <backplane/events.h>

#include <cstdint>

namespace backplane::jit {

struct BlockCompiled {
    static constexpr const char* topic = "jit.block-compiled/1";
    static constexpr const char* doc = "A hot block of guest code was compiled";
    std::uint64_t code, cold_code;  // of the host, in this process
    std::uint64_t linear;           // where the guest had it when it became hot
    std::uint64_t physical;
    std::uint64_t nanoseconds;
    std::uint32_t code_bytes, cold_code_bytes;
    std::uint32_t tier;
    std::uint16_t guest_bytes, instructions, untranslated, reserved[3];
};

struct BlockInvalidated {
    static constexpr const char* topic = "jit.block-invalidated/1";
    static constexpr const char* doc = "The guest changed the code of a compiled block";
    std::uint64_t physical;
    std::uint32_t tier, reserved;
};

struct CacheReleased {
    static constexpr const char* topic = "jit.cache-released/1";
    static constexpr const char* doc =
        "The oldest compiled code was dropped, to have room for more";
    std::uint64_t bytes;
};

class JitEvents final : public CodeWatcher {
public:
    void installed(const InstalledCode& code) override {
        if (!compiled.wanted()) return;
        compiled.publish({.code = reinterpret_cast<std::uint64_t>(code.start),
                          .cold_code = reinterpret_cast<std::uint64_t>(code.cold_start),
                          .linear = code.linear,
                          .physical = code.physical,
                          .nanoseconds = code.nanoseconds,
                          .code_bytes = static_cast<std::uint32_t>(code.bytes),
                          .cold_code_bytes = static_cast<std::uint32_t>(code.cold_bytes),
                          .tier = code.tier,
                          .guest_bytes = static_cast<std::uint16_t>(code.guest_bytes),
                          .instructions = static_cast<std::uint16_t>(code.instructions),
                          .untranslated = static_cast<std::uint16_t>(code.untranslated),
                          .reserved = {}});
    }
    void invalidated(std::uint64_t physical, unsigned tier) override {
        invalidations.publish({.physical = physical, .tier = tier, .reserved = 0});
    }
    void released(const ReleasedCode& code) override {
        releases.publish({.bytes = code.bytes + code.cold_bytes});
    }

    Topic<BlockCompiled> compiled;
    Topic<BlockInvalidated> invalidations;
    Topic<CacheReleased> releases;
};

}  // namespace backplane::jit
