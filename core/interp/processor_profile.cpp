// backplane.cpu-profile/1.
#include "interp/processor.h"
#include "interp/profile_probe.h"

#include <cstddef>
#include <cstring>
#include <span>

namespace backplane::interp {

std::int32_t Processor::attach_profiler(const backplane_cpu_profiler* profiler) {
    const bool has_time = host().struct_size >=
                          offsetof(backplane_host, peek_now) + sizeof(host().peek_now);
    if (probe_ || !has_time) return 0;
    probe_ = std::make_unique<ProfileProbe>(*engine_, host(), *profiler);
    return 1;
}

void Processor::detach_profiler() { probe_.reset(); }

std::int32_t Processor::request_sample() { return probe_ && probe_->request() ? 1 : 0; }

void Processor::sample_every(std::uint64_t instructions) {
    if (probe_) probe_->sample_every(instructions, engine_->instructions());
}

std::uint64_t Processor::read_memory(std::uint64_t linear, void* data, std::uint64_t length) {
    std::span<std::byte> rest{static_cast<std::byte*>(data), length};
    while (!rest.empty()) {
        std::span<const std::byte> part = engine_->memory_at(linear);
        if (part.empty()) break;
        part = part.first(std::min(part.size(), rest.size()));
        std::memcpy(rest.data(), part.data(), part.size());
        rest = rest.subspan(part.size());
        linear += part.size();
    }
    return length - rest.size();
}

void Processor::count_blocks(std::int32_t on) {
    if (probe_) probe_->count_blocks(on != 0);
}

void Processor::take_block_counts(void (*take)(void* user, const backplane_block_count* count),
                                  void* user) {
    if (!probe_) return;
    probe_->counts().take([&](const BlockCount& count) {
        const backplane_block_count told{.struct_size = sizeof told,
                                         .length = count.length,
                                         .pc = count.linear,
                                         .physical = count.physical,
                                         .hits = count.hits,
                                         .instructions = count.instructions(),
                                         .bytes = count.bytes,
                                         .privilege = count.privilege,
                                         .code_size = count.code_size,
                                         .reserved = {}};
        take(user, &told);
    });
}

}  // namespace backplane::interp
