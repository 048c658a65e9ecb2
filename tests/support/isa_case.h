// One data-driven instruction test: bytes, the state before, and what it must be after.
//
//   - name: what it shows                  one sentence
//     code: 64                             64 (default), 32 or 16
//     model: max,-abm                      the CPU model; max when it is not said
//     bytes: 48 01 d8
//     before: {rax: 1, flags: [CF], memory: {0x2000: "01 02"}, ss: {base: 0, limit: 0xffff, big:
//     false}, cpl: 3} after: {rax: 3, flags: [], memory: {0x2000: "01 03"}, rip: 0x1000} undefined:
//     [AF]                      flags that are not compared fault: GP(0)                         or
//     PF(2), DE ...: nothing may have changed but what `after` lists
//
// What `after` does not mention stays as it was; RIP is the next instruction's unless it or a fault
// says otherwise. The instruction lies at 0x1000 of a flat 64 KiB; pages 0x8000 and 0x9000 are
// absent and read-only.
#pragma once

#include "x86/cpu_model.h"
#include "x86/cpu_state.h"
#include "x86/fault.h"
#include "x86/instruction.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace backplane::x86::testing {

struct IsaCase {
    static constexpr std::uint64_t instruction_address = 0x1000, memory_size = 0x10000;
    static constexpr std::uint64_t absent_page = 8, read_only_page = 9;

    std::string name;
    CodeSize code_size = CodeSize::Bits64;
    CpuModel model;
    std::vector<std::byte> bytes;
    CpuState before, after;
    std::map<std::uint64_t, std::vector<std::byte>> memory_before, memory_after;
    std::optional<std::uint64_t> rip;
    std::uint64_t undefined_flags = 0;
    std::string fault;  // "GP(0)", empty when the instruction completes
};

namespace isa_case {

inline std::vector<std::byte> parse_bytes(const std::string& text) {
    std::vector<std::byte> bytes;
    std::istringstream words{text};
    for (std::string word; words >> word;)
        bytes.push_back(static_cast<std::byte>(std::stoul(word, nullptr, 16)));
    return bytes;
}

inline std::uint64_t parse_number(const YAML::Node& node) {
    return std::stoull(node.as<std::string>(), nullptr, 0);
}

inline std::uint64_t parse_flags(const YAML::Node& node) {
    static const std::map<std::string, std::uint64_t> names = {
        {"CF", rflags::cf}, {"PF", rflags::pf},     {"AF", rflags::af},  {"ZF", rflags::zf},
        {"SF", rflags::sf}, {"TF", rflags::tf},     {"IF", rflags::if_}, {"DF", rflags::df},
        {"OF", rflags::of}, {"NT", rflags::nt},     {"RF", rflags::rf},  {"VM", rflags::vm},
        {"AC", rflags::ac}, {"IOPL", rflags::iopl}, {"ID", rflags::id}};
    std::uint64_t value = rflags::reserved1;
    for (const auto& name : node)
        value |= names.at(name.as<std::string>());
    return value;
}

inline void parse_segment(const YAML::Node& node, SegmentRegister& segment) {
    for (const auto& field : node) {
        const auto name = field.first.as<std::string>();
        if (name == "base")
            segment.base = parse_number(field.second);
        else if (name == "limit")
            segment.limit = static_cast<std::uint32_t>(parse_number(field.second));
        else if (name == "attributes")
            segment.attributes = static_cast<std::uint16_t>(parse_number(field.second));
        else if (name == "big")
            segment.attributes = (segment.attributes & ~0x4000) |
                                 (field.second.as<bool>() ? 0x4000 : 0);
        else
            throw std::runtime_error{"unknown segment field " + name};
    }
}

inline void parse_state(const YAML::Node& node, CpuState& state,
                        std::map<std::uint64_t, std::vector<std::byte>>& memory,
                        std::optional<std::uint64_t>& rip) {
    static const char* const registers[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                            "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
    static const char* const segments[] = {"es", "cs", "ss", "ds", "fs", "gs"};
    for (const auto& entry : node) {
        const auto name = entry.first.as<std::string>();
        bool known = false;
        for (unsigned i = 0; i < 16; ++i)
            if (name == registers[i]) {
                state.gpr[i] = parse_number(entry.second);
                known = true;
            }
        for (unsigned i = 0; i < 6; ++i)
            if (name == segments[i]) {
                parse_segment(entry.second, state.segments[i]);
                known = true;
            }
        if (known) continue;
        if (name == "flags")
            state.set_full_rflags(parse_flags(entry.second));
        else if (name == "cpl")
            state.cpl = static_cast<std::uint8_t>(parse_number(entry.second));
        else if (name == "cr0")
            state.cr0 = parse_number(entry.second);
        else if (name == "rip")
            rip = parse_number(entry.second);
        else if (name == "memory")
            for (const auto& piece : entry.second)
                memory[parse_number(piece.first)] = parse_bytes(piece.second.as<std::string>());
        else
            throw std::runtime_error{"unknown state " + name};
    }
}

inline IsaCase parse(const YAML::Node& node) {
    IsaCase result;
    for (const auto& entry : node) {
        static const std::string known[] = {"name",   "code",  "model",     "bytes",
                                            "before", "after", "undefined", "fault"};
        const auto key = entry.first.as<std::string>();
        if (std::find(std::begin(known), std::end(known), key) == std::end(known))
            throw std::runtime_error{"unknown key " + key};
    }
    result.name = node["name"].as<std::string>();
    const int code = node["code"] ? node["code"].as<int>() : 64;
    result.code_size = code == 64   ? CodeSize::Bits64
                       : code == 32 ? CodeSize::Bits32
                                    : CodeSize::Bits16;
    auto model = make_cpu_model(node["model"] ? node["model"].as<std::string>() : "max");
    if (!model) throw std::runtime_error{model.error()};
    result.model = std::move(*model);
    result.bytes = parse_bytes(node["bytes"].as<std::string>());

    // Flat data and code segments at privilege 0; protected mode except for 16-bit code, which is
    // real mode.
    CpuState& state = result.before;
    state.cr0 = code == 16 ? 0 : 1;
    if (code == 64) state.efer = 0x500;
    for (SegmentRegister& segment : state.segments)
        segment = {.limit = code == 16 ? 0xffffu : 0xffffffffu,
                   .attributes = static_cast<std::uint16_t>(code == 16 ? 0x93 : 0xc093)};
    state.segments[CS].attributes = code == 64 ? 0xa09b : code == 32 ? 0xc09b : 0x9b;
    state.gpr[RSP] = 0x4000;
    std::optional<std::uint64_t> ignored;
    parse_state(node["before"], state, result.memory_before, ignored);
    result.after = state;
    parse_state(node["after"], result.after, result.memory_after, result.rip);
    if (node["undefined"])
        result.undefined_flags = parse_flags(node["undefined"]) & rflags::arithmetic;
    if (node["fault"]) result.fault = node["fault"].as<std::string>();
    return result;
}

// "GP(0)" for a fault with an error code, "DE" for one without.
inline std::string fault_text(const Fault& fault) {
    static const char* const names[] = {"DE", "DB", "NMI", "BP", "OF", "BR", "UD",
                                        "NM", "DF", "9",   "TS", "NP", "SS", "GP",
                                        "PF", "15", "MF",  "AC", "MC", "XM"};
    std::string text = names[static_cast<unsigned>(fault.vector)];
    if (has_error_code(fault.vector)) text += "(" + std::to_string(fault.error_code) + ")";
    return text;
}

}  // namespace isa_case

// The cases of every file below `folder`, with the file's name in front of the case's.
inline std::vector<IsaCase> load_isa_cases(const std::filesystem::path& folder) {
    std::vector<IsaCase> cases;
    for (const auto& file : std::filesystem::recursive_directory_iterator{folder}) {
        if (file.path().extension() != ".yaml") continue;
        for (const auto& node : YAML::LoadFile(file.path().string())) {
            const std::string where = file.path().filename().string() + ":" +
                                      std::to_string(node.Mark().line + 1);
            try {
                cases.push_back(isa_case::parse(node));
                cases.back().name = where + ": " + cases.back().name;
            } catch (const std::exception& error) {
                throw std::runtime_error{where + ": " + error.what()};
            }
        }
    }
    return cases;
}

}  // namespace backplane::x86::testing
