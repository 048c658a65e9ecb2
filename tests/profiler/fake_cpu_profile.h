// A processor that tells a profiler what a test wants.
#pragma once

#include <backplane/abi/cpu_profile.h>
#include <backplane/abi/device.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace backplane::profiler::testing {

class FakeCpuProfile {
public:
    backplane_link link() {
        static constexpr backplane_cpu_profile functions{
            sizeof(backplane_cpu_profile),
            0,
            [](void* object, const backplane_cpu_profiler* wanted) -> std::int32_t {
                auto& cpu = self(object);
                if (cpu.profiler) return 0;
                cpu.profiler = wanted;
                return 1;
            },
            [](void* object) { self(object).profiler = nullptr; },
            [](void* object) -> std::int32_t {
                auto& cpu = self(object);
                ++cpu.requests;
                if (cpu.is_outside) return 0;
                cpu.tell(cpu.next);
                return 1;
            },
            [](void* object, std::uint64_t count) { self(object).interval = count; },
            [](void* object, std::uint64_t linear, void* data, std::uint64_t length) {
                return self(object).read(linear, static_cast<std::uint8_t*>(data), length);
            },
            [](void* object, std::int32_t on) { self(object).counts = on != 0; },
            [](void* object, void (*take)(void*, const backplane_block_count*), void* user) {
                for (const backplane_block_count& block : self(object).blocks)
                    take(user, &block);
                self(object).blocks.clear();
            },
            [](void* object) { return self(object).name.c_str(); }};
        return {&functions, this};
    }

    void tell(const backplane_cpu_sample& sample) {
        if (profiler) profiler->sample(profiler->user, &sample);
    }

    static backplane_cpu_sample sample_at(std::uint64_t pc) {
        backplane_cpu_sample sample{};
        sample.struct_size = sizeof sample;
        sample.flags = BACKPLANE_SAMPLE_EXACT;
        sample.pc = pc;
        sample.requests = 1;
        sample.activity = BACKPLANE_CPU_COMPILED_CODE;
        sample.tier = 1;
        sample.code_size = 64;
        return sample;
    }

    // Memory that is there, by address.
    std::map<std::uint64_t, std::uint8_t> memory;
    backplane_cpu_sample next = sample_at(0x1000);
    std::string name = "cpu0";
    std::vector<backplane_block_count> blocks;
    std::atomic<bool> is_outside{false};
    std::atomic<std::uint64_t> requests{0}, interval{0};
    bool counts = false;
    const backplane_cpu_profiler* profiler = nullptr;

private:
    static FakeCpuProfile& self(void* object) { return *static_cast<FakeCpuProfile*>(object); }

    std::uint64_t read(std::uint64_t linear, std::uint8_t* data, std::uint64_t length) const {
        for (std::uint64_t i = 0; i < length; ++i) {
            const auto found = memory.find(linear + i);
            if (found == memory.end()) return i;
            data[i] = found->second;
        }
        return length;
    }
};

}  // namespace backplane::profiler::testing
