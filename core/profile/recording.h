// What was recorded of a guest: where its processors were, sample by sample.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace backplane::profile {

// What the processor's thread was at; as backplane_cpu_activity.
enum class Activity : std::uint8_t {
    Idle,
    Interpreter,
    CompiledCode,
    Memory,
    Device,
    Compiler,
    Waiting,
};
constexpr std::size_t activity_count = 7;
const char* name_of(Activity activity);

// A return address that was found on the stack.
struct Caller {
    static constexpr std::uint64_t indirect = 0;
    static constexpr std::uint64_t by_frame = 1;  // found through frame pointers

    std::uint64_t address = 0;
    // Where the call in front of it goes, or one of the above. All others lay somewhere on the
    // stack, so that some of them are of calls that are long over.
    std::uint64_t target = indirect;

    bool operator==(const Caller&) const = default;
};

struct Sample {
    static constexpr std::uint8_t exact = 1, counted = 2;  // flags, as of backplane_cpu_sample

    std::uint64_t host_time = 0, guest_time = 0;  // nanoseconds; of the host's steady clock
    std::uint64_t instructions = 0, thread_time = 0, address_space = 0;
    std::uint64_t pc = 0, stack_pointer = 0;
    std::uint32_t weight = 1;  // samples that this one stands for
    std::uint8_t cpu = 0, flags = 0;
    Activity activity = Activity::Idle;
    std::uint8_t tier = 0, privilege = 0, code_size = 64;
    std::vector<Caller> callers;  // the innermost first

    bool is_idle() const { return activity == Activity::Idle; }
};

// The guest's code around a sample, or of a block that was counted.
struct CodeBytes {
    // Of blocks, instead of an address space: `address` is guest-physical.
    static constexpr std::uint64_t physical = ~std::uint64_t{0};

    std::uint64_t address = 0, address_space = 0;
    std::uint8_t code_size = 64;
    std::vector<std::uint8_t> bytes;

    bool is_physical() const { return address_space == physical; }
};

// As backplane_block_count; summed up to the end of the recording.
struct BlockCount {
    std::uint64_t pc = 0, physical = 0, hits = 0, instructions = 0;
    std::uint32_t length = 0, bytes = 0;
    std::uint8_t cpu = 0, privilege = 0, code_size = 64;
};

// Something that happened at some time.
struct Marker {
    static constexpr std::uint8_t of_no_cpu = 255;

    std::uint64_t host_time = 0, duration = 0;  // nanoseconds
    std::uint8_t cpu = 0;
    std::string name, text;
};

// What the processors' statistics were, all of them together, again and again; the program adds
// that behind what the profiler has recorded.
struct StatisticsHistory {
    struct Sample {
        std::uint64_t host_time = 0;
        std::vector<std::uint64_t> values;  // one for each name
    };
    std::vector<std::string> names;
    std::vector<Sample> samples;
};

// How it was recorded.
struct Settings {
    std::uint64_t frequency = 0;     // samples a second; 0: by instructions
    std::uint64_t instructions = 0;  // between two samples; 0: by time
    std::uint32_t cpus = 1;
    std::int64_t started = 0;     // milliseconds since 1970
    std::uint64_t host_time = 0;  // the steady clock at that instant
    std::string kernel_symbols;   // files with symbols, as far as they were told
    std::vector<std::string> user_symbols;
};

struct Recording {
    Settings settings;
    std::vector<Sample> samples;  // of each processor in their order
    std::vector<CodeBytes> code;
    std::vector<BlockCount> blocks;
    std::vector<Marker> markers;
    std::uint64_t lost = 0;  // samples that could not be written
    std::uint64_t lost_markers = 0;
    bool is_complete = false;      // its end was written
    std::uint64_t torn = 0;        // bytes behind the last whole record
    StatisticsHistory statistics;  // empty: nobody added them
};

}  // namespace backplane::profile
