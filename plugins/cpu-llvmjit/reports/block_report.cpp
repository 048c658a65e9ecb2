#include "reports/block_report.h"

#include "interp/block_builder.h"
#include "interp/dispatch.h"
#include "reports/core_part.h"
#include "x86/decoder.h"
#include "x86/disassembler.h"
#include "x86/instruction_set.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <optional>
#include <sstream>
#include <vector>

namespace backplane::jit {
namespace {

using interp::Block;
namespace block_mode = interp::block_mode;

constexpr std::size_t column = 52;

std::string hex(std::uint64_t value, std::size_t digits = 1) {
    std::array<char, 16> text;
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value, 16).ptr;
    std::string number{text.data(), end};
    return std::string(number.size() < digits ? digits - number.size() : 0, '0') + number;
}

std::optional<std::uint64_t> number(std::string_view text) {
    const bool is_hex = text.starts_with("0x");
    if (is_hex) text.remove_prefix(2);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value,
                                              is_hex ? 16 : 10);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

const char* size_text(std::uint8_t mode) {
    switch (static_cast<x86::CodeSize>(mode & block_mode::code_size)) {
    case x86::CodeSize::Bits16: return "16-bit";
    case x86::CodeSize::Bits32: return "32-bit";
    case x86::CodeSize::Bits64: break;
    }
    return "64-bit";
}

const char* view_text(std::uint8_t mode) {
    switch (static_cast<interp::View>((mode & block_mode::view) >> block_mode::view_shift)) {
    case interp::View::Supervisor: break;
    case interp::View::User: return "user";
    case interp::View::SupervisorUserData: return "supervisor with access to user data";
    case interp::View::UserAligned: return "user with alignment checks";
    }
    return "supervisor";
}

class BlockText {
public:
    // `base` is what to show as the block's address.
    BlockText(Tier1Compiler& tier1, const Block& block, std::uint64_t base)
        : tier1_{tier1}, block_{block}, base_{base} {
        decode_guest();
    }

    // The line with this byte of the block's code is marked.
    void mark(Place place) { marked_ = place; }

    std::string text() {
        const auto* native = static_cast<const NativeBlock*>(block_.compiled);
        line() << "block " << hex(base_) << ", physical " << hex(block_.physical) << ": "
               << block_.instruction_count << " instructions, " << block_.bytes << " bytes, "
               << size_text(block_.mode) << " code, " << view_text(block_.mode) << '\n';
        line() << "tier 0: " << block_.op_count << " ops\n";
        tier1_line(native);
        const UpperTier* tier2 = tier1_.upper();
        line() << "tier 2: " << (tier2 ? tier2->summary(block_) : "not compiled") << "\n\n";
        if (native && native->end != native->start)
            code(*native);
        else
            for (std::size_t i = 0; i < guest_.size(); ++i)
                line() << instruction(i) << '\n';
        if (const std::string text = tier2 ? tier2->text(block_) : ""; !text.empty())
            line() << '\n' << text;
        return out_.str();
    }

private:
    struct Guest {
        std::uint64_t offset = 0;
        std::string text;
    };

    std::ostringstream& line() { return out_; }

    // All of a block that ends in another page, too.
    std::vector<std::byte> guest_bytes() const {
        std::vector<std::byte> bytes;
        const auto take = [&](std::uint64_t from, std::uint64_t length) {
            if (const std::byte* start = tier1_.cpu().code_bytes(from))
                bytes.insert(bytes.end(), start, start + length);
        };
        const std::uint64_t to_page_end = x86::page_size -
                                          (block_.physical & x86::page_offset_mask);
        const std::uint64_t first = std::min<std::uint64_t>(block_.bytes, to_page_end);
        take(block_.physical, first);
        if (block_.crosses_page) take(block_.second_page, block_.bytes - first);
        return bytes;
    }

    void decode_guest() {
        const x86::Decoder decoder{x86::decoder_features(tier1_.model())};
        const std::vector<std::byte> bytes = guest_bytes();
        const auto size = static_cast<x86::CodeSize>(block_.mode & block_mode::code_size);
        for (std::uint64_t offset = 0; offset < bytes.size();) {
            x86::Instruction instruction;
            const auto status = decoder.decode(std::span{bytes}.subspan(offset), size,
                                               base_ + offset, instruction);
            const bool known = status == x86::DecodeStatus::Complete;
            guest_.push_back({offset, known ? x86::disassemble(instruction) : "(none)"});
            if (!known) break;
            offset += instruction.decoded.length;
        }
    }

    std::string address(std::size_t i) const {
        return i < guest_.size() ? hex(base_ + guest_[i].offset) : "?";
    }
    std::string instruction(std::size_t i) const {
        return address(i) + "  " + (i < guest_.size() ? guest_[i].text : "?");
    }

    void tier1_line(const NativeBlock* native) {
        if (native && native->end == native->start) {
            line() << "tier 1: not compiled: tier 2 has taken it\n";
            return;
        }
        if (native) {
            line() << "tier 1: " << native->end - native->start << " bytes at "
                   << host_address(native->start) << ", and "
                   << native->cold_end - native->cold_start << " cold ones at "
                   << host_address(native->cold_start) << '\n';
            return;
        }
        const bool counts = interp::handler_of(*block_.ops()) == &interp::count_execution;
        const std::uint64_t left = block_.ops()->immediate;
        line() << "tier 1: not compiled";
        if (counts && left != 0)
            line() << " yet: at the latest after " << left << " more executions";
        else
            line() << ": left to the interpreter as a whole";
        line() << '\n';
    }

    std::string host_address(Place place) const {
        return hex(reinterpret_cast<std::uint64_t>(tier1_.address_of(place)));
    }

    std::string label(const CodePart& part) const {
        using Kind = CodePart::Kind;
        switch (part.kind) {
        case Kind::Entry: return "entry";
        case Kind::Instruction: break;
        case Kind::Untranslated: return instruction(part.instruction) + "  (interpreted)";
        case Kind::Resumption: return "back in front of " + address(part.instruction);
        case Kind::Exit: return "out in front of " + address(part.instruction);
        case Kind::Detour: return "access elsewhere by " + address(part.instruction);
        case Kind::Miss: return "access missed by " + address(part.instruction);
        case Kind::RegisterLoad: return "registers for " + address(part.instruction);
        case Kind::Edge: return "on to another block";
        }
        return instruction(part.instruction);
    }

    // What is executed often comes first, then what is not, which is elsewhere.
    void code(const NativeBlock& native) {
        const CodeMap map = tier1_.map_of(native);
        if (marked_) line() << "the address is in: " << label(map.at(*marked_)) << "\n\n";
        const auto& parts = map.parts();
        for (std::size_t i = 0; i < parts.size(); ++i) {
            Place end = is_hot(native, parts[i].place) ? native.end : native.cold_end;
            if (i + 1 < parts.size()) end = std::min(end, parts[i + 1].place);
            part(native, parts[i], end);
        }
    }

    static bool is_hot(const NativeBlock& native, Place place) {
        return place >= native.start && place <= native.end;
    }

    // From the start of what it is in.
    static std::string offset(const NativeBlock& native, Place place) {
        return is_hot(native, place) ? "    +" + hex(place - native.start, 4)
                                     : "cold+" + hex(place - native.cold_start, 4);
    }

    void part(const NativeBlock& native, const CodePart& part, Place end) {
        std::string left = label(part);
        if (part.place == end) line() << left << '\n';
        for (Place place = part.place; place < end;) {
            const auto [text, length] = host_instruction(native, place, end);
            left.resize(std::max(left.size(), column), ' ');
            std::string at = "  " + offset(native, place);
            if (marked_ && *marked_ >= place && *marked_ < place + length)
                at[at.find_first_not_of(' ') - 1] = '>';
            line() << left << at << "  " << text << '\n';
            left.clear();
            place += length;
        }
    }

    struct HostInstruction {
        std::string text;
        std::uint32_t length;
    };

    HostInstruction host_instruction(const NativeBlock& native, Place place, Place end) const {
        static const x86::Decoder decoder{{.lzcnt = true, .bmi1 = true}};
        const std::span bytes{reinterpret_cast<const std::byte*>(tier1_.address_of(place)),
                              end - place};
        x86::Instruction host;
        if (decoder.decode(bytes, x86::CodeSize::Bits64, place, host) !=
            x86::DecodeStatus::Complete)
            return {"(none)", end - place};
        std::string text = x86::disassemble(host);
        if (const auto target = x86::branch_target(host))
            text = text.substr(0, text.find(' ') + 1) +
                   destination(native, static_cast<Place>(*target));
        for (const ZydisDecodedOperand& operand :
             std::span{host.operands}.first(host.decoded.operand_count_visible)) {
            if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY) name_place(text, native, operand, host);
            if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER &&
                operand.reg.value == ZYDIS_REGISTER_R12)
                text += "  ; budget";
        }
        return {std::move(text), host.decoded.length};
    }

    // What a memory operand is: code of the block's, or a part of the processor's state.
    static void name_place(std::string& text, const NativeBlock& native,
                           const ZydisDecodedOperand& operand, const x86::Instruction& host) {
        if (operand.mem.base == ZYDIS_REGISTER_RIP) {
            const std::size_t from = text.find('[');
            const auto target = host.next_ip() + static_cast<std::uint64_t>(operand.mem.disp.value);
            const std::string place = target == fast_index_mask
                                          ? "bits of the TLB's index"
                                          : trimmed(offset(native, static_cast<Place>(target)));
            text.replace(from, text.find(']') + 1 - from, '[' + place + ']');
        } else if (operand.mem.base == ZYDIS_REGISTER_RSP) {
            text += "  ; " + core_part(static_cast<std::size_t>(operand.mem.disp.value));
        }
    }

    static std::string trimmed(const std::string& text) {
        return text.substr(text.find_first_not_of(' '));
    }

    std::string destination(const NativeBlock& native, Place place) const {
        const auto& ways = tier1_.ways();
        const auto way = std::ranges::find(ways, place);
        if (way != ways.end())
            return std::string{"-> "} + name_of(static_cast<Way>(way - ways.begin()));
        const bool is_cold = place >= native.cold_start && place < native.cold_end;
        if (is_hot(native, place) || is_cold) return trimmed(offset(native, place));
        const NativeBlock* other = tier1_.block_at(place);
        return other ? "-> block at physical " + hex(other->block->physical) : "-> tier 2";
    }

    Tier1Compiler& tier1_;
    const Block& block_;
    std::uint64_t base_;
    std::optional<Place> marked_;
    std::vector<Guest> guest_;
    std::ostringstream out_;
};

Report at_physical(Tier1Compiler& tier1, std::uint64_t physical, std::uint64_t shown) {
    std::vector<Block*> blocks = tier1.cpu().blocks_at(physical);
    if (blocks.empty())
        return std::unexpected{"no block has code at " + hex(shown) +
                               ": it was not executed, or has changed since"};
    std::ranges::sort(blocks, {}, &Block::physical);
    std::string text;
    for (const Block* block : blocks) {
        // Of a block that ends in another page, only the start is contiguous with it.
        const std::uint64_t distance = physical - block->physical;
        const std::uint64_t base = distance < block->bytes ? shown - distance : block->physical;
        if (!text.empty()) text += '\n';
        text += BlockText{tier1, *block, base}.text();
    }
    return text;
}

}  // namespace

Report block_report(Tier1Compiler& tier1, std::string_view where) {
    interp::Interpreter& cpu = tier1.cpu();
    const bool is_next = where.empty();
    const bool is_host = take_prefix(where, "host:");
    const bool is_physical = !is_host && take_prefix(where, "physical:");
    const auto address = is_next ? cpu.linear_of(cpu.state.rip) : number(where);
    if (!address)
        return std::unexpected{"'" + std::string{where} + "' is no address, such as 0x1000"};
    if (is_physical) return at_physical(tier1, *address, *address);
    if (is_host) {
        const auto place = tier1.place_of(reinterpret_cast<const void*>(*address));
        const NativeBlock* native = place ? tier1.block_at(*place) : nullptr;
        if (!native)
            return std::unexpected{"there is no code of a block at " + hex(*address) +
                                   " of the host"};
        BlockText text{tier1, *native->block, native->block->physical};
        text.mark(*place);
        return text.text();
    }
    const auto physical = cpu.physical_address(*address);
    if (!physical) return std::unexpected{hex(*address) + " is not mapped"};
    return at_physical(tier1, *physical, *address);
}

}  // namespace backplane::jit
