#include "cpu_sampler.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace backplane::profiler {

using profile::Activity, profile::Sample;

namespace {

static_assert(profile::activity_count == BACKPLANE_CPU_ACTIVITIES);
static_assert(Sample::exact == BACKPLANE_SAMPLE_EXACT &&
              Sample::counted == BACKPLANE_SAMPLE_COUNTED);

// Code is recorded in pieces of this size, with the end of an instruction that begins in one.
constexpr std::uint64_t code_piece = 256, longest_instruction = 15;
constexpr std::size_t most_pieces = 1 << 18;
constexpr unsigned user = 3;
constexpr std::uint64_t block_period = 1'000'000'000;  // nanoseconds
// In instructions, so that counted samples are the same in each run.
constexpr std::uint64_t forget_period = 100'000'000;

}  // namespace

CpuSampler::CpuSampler(Cpu cpu, std::uint8_t number, const CpuSamplerOptions& options,
                       SampleCounts& counts)
    : cpu_{cpu}, number_{number}, options_{options}, counts_{counts} {
    profiler_.struct_size = sizeof profiler_;
    profiler_.user = this;
    profiler_.sample = [](void* self, const backplane_cpu_sample* sample) {
        static_cast<CpuSampler*>(self)->took(*sample);
    };
}

Outcome CpuSampler::attach() {
    if (cpu_.call<&backplane_cpu_profile::attach>(&profiler_) == 0)
        return std::unexpected{"cpus: processor " + std::to_string(number_) +
                               " of the list has a profiler already, or is there twice"};
    is_attached_ = true;
    if (options_.instructions != 0)
        cpu_.call<&backplane_cpu_profile::sample_every>(options_.instructions);
    if (options_.counts_blocks) cpu_.call<&backplane_cpu_profile::count_blocks>(1);
    return {};
}

void CpuSampler::detach() {
    if (!std::exchange(is_attached_, false)) return;
    if (options_.counts_blocks) take_blocks();
    cpu_.call<&backplane_cpu_profile::detach>();
}

void CpuSampler::tick(std::uint64_t host_time) {
    if (cpu_.call<&backplane_cpu_profile::request_sample>() != 0) return;
    ++counts_.by_activity[static_cast<std::size_t>(Activity::Idle)];
    const std::lock_guard lock{mutex_};
    if (!batch_.samples.empty() && batch_.samples.back().is_idle()) {
        ++batch_.samples.back().weight;
        return;
    }
    Sample idle;
    idle.host_time = host_time;
    idle.cpu = number_;
    batch_.samples.push_back(std::move(idle));
    ++counts_.waiting;
}

Batch CpuSampler::take() {
    const std::lock_guard lock{mutex_};
    counts_.waiting -= batch_.samples.size();
    return std::exchange(batch_, {});
}

std::size_t CpuSampler::read(std::uint64_t linear, std::span<std::byte> bytes) {
    return cpu_.call<&backplane_cpu_profile::read_memory>(linear, static_cast<void*>(bytes.data()),
                                                          static_cast<std::uint64_t>(bytes.size()));
}

// A request that waited while the host let somebody else run says nothing about the guest. What
// waits by itself, for a device or for other processors, does.
std::uint32_t CpuSampler::weight_of(const backplane_cpu_sample& sample) {
    const std::uint64_t since = sample.thread_time -
                                std::exchange(thread_time_, sample.thread_time);
    if (sample.requests <= 1) return 1;
    const bool waits = sample.activity == BACKPLANE_CPU_DEVICE ||
                       sample.activity == BACKPLANE_CPU_WAITING;
    if (waits || options_.period == 0) return sample.requests;
    const std::uint64_t periods = (since + options_.period / 2) / options_.period;
    const auto weight = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(periods, 1, sample.requests));
    counts_.stolen += sample.requests - weight;
    return weight;
}

void CpuSampler::took(const backplane_cpu_sample& told) {
    const bool is_exact = (told.flags & BACKPLANE_SAMPLE_EXACT) != 0;
    if (told.instructions - calls_forgotten_ >= forget_period) {
        calls_forgotten_ = told.instructions;
        known_calls_.forget();
    }
    Sample sample{.host_time = told.host_time,
                  .guest_time = told.guest_time,
                  .instructions = told.instructions,
                  .thread_time = told.thread_time,
                  .address_space = told.address_space,
                  .pc = told.pc,
                  .stack_pointer = told.stack_pointer,
                  .weight = weight_of(told),
                  .cpu = number_,
                  .flags = static_cast<std::uint8_t>(told.flags),
                  .activity = told.activity < BACKPLANE_CPU_ACTIVITIES
                                  ? static_cast<Activity>(told.activity)
                                  : Activity::Interpreter,
                  .tier = told.tier,
                  .privilege = told.privilege,
                  .code_size = told.code_size,
                  .callers = walk_stack(*this, known_calls_,
                                        {.pc = told.pc,
                                         .stack_pointer = told.stack_pointer,
                                         .frame_pointer = told.frame_pointer,
                                         .is_user = told.privilege == user,
                                         .code_size = told.code_size},
                                        options_.callers)};
    take_code(told);
    if (options_.counts_blocks && told.host_time - blocks_taken_ >= block_period) {
        blocks_taken_ = told.host_time;
        take_blocks();
    }
    counts_.by_activity[static_cast<std::size_t>(sample.activity)] += sample.weight;
    if (is_exact) counts_.exact += sample.weight;
    const std::lock_guard lock{mutex_};
    batch_.samples.push_back(std::move(sample));
    for (profile::CodeBytes& code : new_code_)
        batch_.code.push_back(std::move(code));
    new_code_.clear();
    ++counts_.waiting;
}

// Kernels have their code in all address spaces.
void CpuSampler::take_code(const backplane_cpu_sample& sample) {
    constexpr std::uint64_t context_bits = 0xfff;  // of CR3: no part of the tables' address
    const std::uint64_t start = sample.pc / code_piece * code_piece;
    const std::uint64_t space = sample.privilege == user ? sample.address_space & ~context_bits : 0;
    const std::uint64_t key = start ^ (space << 20 | space >> 44);
    if (known_code_.size() == most_pieces || !known_code_.insert(key).second) return;
    profile::CodeBytes code{.address = start,
                            .address_space = space,
                            .code_size = sample.code_size,
                            .bytes = std::vector<std::uint8_t>(code_piece + longest_instruction)};
    code.bytes.resize(read(start, std::as_writable_bytes(std::span{code.bytes})));
    if (!code.bytes.empty()) new_code_.push_back(std::move(code));
}

void CpuSampler::take_blocks() {
    std::vector<profile::BlockCount> blocks;
    struct Taking {
        std::vector<profile::BlockCount>& blocks;
        std::uint8_t cpu;
    } taking{blocks, number_};
    cpu_.call<&backplane_cpu_profile::take_block_counts>(
        [](void* user, const backplane_block_count* count) {
            const auto& to = *static_cast<Taking*>(user);
            to.blocks.push_back({.pc = count->pc,
                                 .physical = count->physical,
                                 .hits = count->hits,
                                 .instructions = count->instructions,
                                 .length = count->length,
                                 .bytes = count->bytes,
                                 .cpu = to.cpu,
                                 .privilege = count->privilege,
                                 .code_size = count->code_size});
        },
        static_cast<void*>(&taking));
    std::vector<profile::CodeBytes> code;
    if (options_.memory)
        for (const profile::BlockCount& block : blocks)
            take_code(block, code);
    const std::lock_guard lock{mutex_};
    batch_.blocks.insert(batch_.blocks.end(), blocks.begin(), blocks.end());
    std::ranges::move(code, std::back_inserter(batch_.code));
}

// As far as it is in one page: what is behind that may be anywhere.
void CpuSampler::take_code(const profile::BlockCount& block, std::vector<profile::CodeBytes>& to) {
    const auto [known, is_new] = known_blocks_.try_emplace(block.physical, block.bytes);
    // What two blocks begin with is the same, as far as both go.
    if (!is_new && known->second >= block.bytes) return;
    known->second = block.bytes;
    constexpr std::uint64_t page = 4096;
    backplane_range range{};
    options_.memory.call<&backplane_address_space::find>(block.physical, &range);
    if (range.memory == nullptr || range.readable == 0) return;
    const std::uint64_t offset = block.physical - range.start;
    const std::uint64_t length = std::min(
        {std::uint64_t{block.bytes}, range.length - offset, page - block.physical % page});
    const std::uint8_t* start = range.memory + offset;
    to.push_back({.address = block.physical,
                  .address_space = profile::CodeBytes::physical,
                  .code_size = block.code_size,
                  .bytes = {start, start + length}});
}

}  // namespace backplane::profiler
