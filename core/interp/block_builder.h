// Makes blocks: fetches guest code, decodes it, and chooses a handler for each instruction.
#pragma once

#include "interp/block_cache.h"
#include "interp/block_counts.h"
#include "interp/effects.h"
#include "interp/forms_table.h"
#include "x86/decoder.h"
#include "x86/instruction.h"
#include "x86/system_services.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>

namespace backplane::interp {

// The mode of a block: what besides its bytes decides its meaning.
namespace block_mode {
constexpr std::uint8_t code_size = 3;  // x86::CodeSize
constexpr std::uint8_t unfused = 4;    // each instruction by itself, all its results in CpuState
constexpr unsigned view_shift = 3;     // View: through which TLB a compiled block's accesses go
constexpr std::uint8_t view = 3 << view_shift;
constexpr std::uint8_t flat = 32;          // 32-bit code, x86::has_flat_segments
constexpr unsigned in_jump_cache = 6;      // so many bits tell apart what the jump cache has
constexpr std::uint8_t single = 64;        // one instruction, not fused, not linked
constexpr std::uint8_t interpreted = 128;  // never compiled, so that it can be left anywhere
}  // namespace block_mode

// Guest code from one address on.
struct CodeBytes {
    std::span<const std::byte> bytes;
    // the rest comes from the page behind, for an instruction that needs it
    std::size_t in_first_page = 0;
    std::uint64_t physical = 0;  // of the first byte
    std::uint64_t second_page = 0;
    std::uint64_t ip = 0;
    std::uint16_t segment_end = 0;  // Block::segment_end
    std::uint64_t linear = 0;       // of the first byte
};

class BlockBuilder {
public:
    // With a threshold, blocks count how often they are executed, to be compiled then. What they
    // are until then is not worth fusing.
    BlockBuilder(BlockCache& blocks, const x86::CpuModel& model, x86::SystemServices& services,
                 std::size_t max_instructions, std::uint32_t compile_threshold = 0);

    // Null: the first instruction needs the page behind too. The block is not inserted anywhere.
    Block* build(const CodeBytes& code, std::uint8_t mode);

    // Asked at a conditional branch, with where it goes and what is behind it, from the block's
    // first byte: whether the block goes on there.
    using GoesOn = std::function<bool(std::int64_t taken, std::uint32_t next)>;
    // A block for a compiler, which executes the branches within: the interpreter does not get past
    // them.
    Block* build(const CodeBytes& code, std::uint8_t mode, const GoesOn& goes_on);
    // From now on blocks count how often they are executed. Null: no longer. False: as before.
    bool count_into(BlockCounts* counts) { return std::exchange(counts_, counts) != counts; }

    // Of that block, until the next one is made: the instructions up to one that cannot be decoded.
    std::span<const x86::Instruction> instructions() const { return {kept_.get(), decoded_}; }
    // Whether such a block would be longer than this one, without making it.
    bool would_go_on(const Block& block, std::span<const std::byte> bytes,
                     const GoesOn& goes_on) const;

private:
    struct Draft {
        Op op{};
        Handler handler;
        Effects effects;
        std::uint8_t retired_before = 0;
        std::uint8_t known = 0;  // for Handler::choose
    };

    enum class Progress : std::uint8_t { Continue, EndBlock, EndBefore, NeedsNextPage };
    Progress add(const CodeBytes& code, std::uint8_t mode, const GoesOn& goes_on);
    bool goes_on_behind(const x86::Instruction& instruction, const GoesOn& goes_on);
    bool add_fused(const CodeBytes& code, std::uint8_t mode, const x86::Instruction& first);
    void add_op(const Op& op, Handler handler, const Effects& effects);
    bool is_counted(std::uint8_t mode) const;
    bool is_apart(std::uint8_t mode) const;
    template <HandlerFunction function>
    void add_counter(std::uint64_t start);
    void add_fault(Handler handler, std::size_t bytes);
    void find_unread_flags();
    void choose_handlers(bool apart);
    BlockCount& count_of(const Block& block, const CodeBytes& code);
    Block* finish(const CodeBytes& code, std::uint8_t mode);

    BlockCache& blocks_;
    const x86::CpuModel& model_;
    x86::SystemServices& services_;
    std::size_t max_instructions_;
    std::uint32_t compile_threshold_;
    BlockCounts* counts_ = nullptr;
    x86::Decoder decoder_;
    Forms forms_;

    // The block being made.
    std::array<Draft, 1 + 2 * block_max_instructions> drafts_;
    std::size_t ops_ = 0, instructions_ = 0, decoded_ = 0, bytes_ = 0, last_instruction_ = 0;
    std::unique_ptr<x86::Instruction[]> kept_;
    bool software_interrupt_ = false;
};

}  // namespace backplane::interp
