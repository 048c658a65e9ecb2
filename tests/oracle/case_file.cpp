#include "case_file.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstdio>
#include <span>
#include <sstream>
#include <stdexcept>

namespace backplane::oracle {
namespace {

using x86::CodeSize;

const char* const gpr_names[] = {"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
                                 "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};
const char* const segment_names[] = {"es", "cs", "ss", "ds", "fs", "gs"};

std::string hex(std::uint64_t value) {
    char text[24];
    std::snprintf(text, sizeof text, "0x%lx", value);
    return text;
}

std::string byte_text(std::span<const std::uint8_t> bytes) {
    std::string text;
    for (const std::uint8_t byte : bytes) {
        char digits[4];
        std::snprintf(digits, sizeof digits, "%s%02x", text.empty() ? "" : " ", byte);
        text += digits;
    }
    return text;
}

std::uint64_t number(const std::string& text) { return std::stoull(text, nullptr, 0); }

std::vector<std::uint64_t> words(const std::string& text, int base) {
    std::vector<std::uint64_t> values;
    std::istringstream stream{text};
    for (std::string word; stream >> word;)
        values.push_back(std::stoull(word, nullptr, base));
    return values;
}

// Calls f(name, value) for every single number of the state.
template <class State, class F>
void for_each_number(State& state, F f) {
    for (unsigned i = 0; i < 16; ++i)
        f(gpr_names[i], state.gpr[i]);
    f("flags", state.rflags);
    for (unsigned i = 0; i < 6; ++i)
        f(segment_names[i], state.selectors[i]);
    f("fs-base", state.fs_base);
    f("gs-base", state.gs_base);
    f("fcw", state.vector.control);
    f("fsw", state.vector.status);
    f("ftw", state.vector.valid);
    f("mxcsr", state.vector.mxcsr);
}

std::array<std::uint64_t, 2> pair(const std::string& text) {
    const auto values = words(text, 0);
    if (values.size() != 2) throw std::runtime_error{"two numbers expected: " + text};
    return {values[0], values[1]};
}

void parse_state(const YAML::Node& node, MachineState& state) {
    for (const auto& entry : node) {
        const auto name = entry.first.as<std::string>();
        const auto text = entry.second.as<std::string>();
        bool known = false;
        for_each_number(state, [&](std::string_view candidate, auto& place) {
            if (candidate != name) return;
            place = static_cast<std::remove_reference_t<decltype(place)>>(number(text));
            known = true;
        });
        if (known) continue;
        const std::string kind = name.substr(0, name.find_first_of("0123456789"));
        if (kind == name) throw std::runtime_error{"unknown state " + name};
        const auto index = std::stoul(name.substr(kind.size()));
        if (kind == "st" && index < 8)
            state.vector.st[index] = {pair(text)[1], static_cast<std::uint16_t>(pair(text)[0]), {}};
        else if (kind == "xmm" && index < 16)
            state.vector.xmm[index] = pair(text);
        else if (kind == "ymm" && index < 16)
            state.vector.ymm_high[index] = pair(text);
        else
            throw std::runtime_error{"unknown state " + name};
    }
}

std::string state_text(const MachineState& state, const MachineState& plain) {
    std::string text;
    const auto add = [&](const std::string& name, const std::string& value) {
        text += (text.empty() ? "" : ", ") + name + ": " + value;
    };
    std::vector<std::uint64_t> defaults;
    for_each_number(plain, [&](std::string_view, auto value) { defaults.push_back(value); });
    std::size_t at = 0;
    for_each_number(state, [&](std::string_view name, auto value) {
        if (value != defaults[at++]) add(std::string{name}, hex(value));
    });
    const auto add_pair = [&](const char* kind, unsigned index, std::uint64_t a, std::uint64_t b) {
        if (a | b) add(kind + std::to_string(index), "\"" + hex(a) + " " + hex(b) + "\"");
    };
    for (unsigned i = 0; i < 8; ++i)
        add_pair("st", i, state.vector.st[i].sign_exponent, state.vector.st[i].significand);
    for (unsigned i = 0; i < 16; ++i)
        add_pair("xmm", i, state.vector.xmm[i][0], state.vector.xmm[i][1]);
    for (unsigned i = 0; i < 16; ++i)
        add_pair("ymm", i, state.vector.ymm_high[i][0], state.vector.ymm_high[i][1]);
    return text;
}

std::string memory_text(const Case& test) {
    constexpr std::size_t row = 8;
    std::string text;
    for (std::size_t at = 0; at < data_bytes; at += row) {
        const std::span bytes = std::span{test.memory}.subspan(at, row);
        if (std::ranges::all_of(bytes, [](std::uint8_t byte) { return byte == 0; })) continue;
        text += (text.empty() ? "" : ", ") + hex(data_address + at) + ": \"" + byte_text(bytes) +
                "\"";
    }
    return text;
}

Case parse(const YAML::Node& node) {
    Case test;
    const int code = node["code"].as<int>();
    test.code_size = code == 64   ? CodeSize::Bits64
                     : code == 32 ? CodeSize::Bits32
                                  : CodeSize::Bits16;
    test.before = plain_state(test.code_size);
    const auto bytes = words(node["bytes"].as<std::string>(), 16);
    if (bytes.size() > test.bytes.size()) throw std::runtime_error{"too many bytes"};
    test.length = static_cast<std::uint8_t>(bytes.size());
    for (std::size_t i = 0; i < bytes.size(); ++i)
        test.bytes[i] = static_cast<std::uint8_t>(bytes[i]);
    test.before.rip = number(node["ip"].as<std::string>());
    if (node["single-step"]) test.single_step = node["single-step"].as<bool>();
    if (node["engine-steps"]) test.engine_steps = node["engine-steps"].as<bool>();
    if (node["state"]) parse_state(node["state"], test.before);
    for (const auto& piece : node["memory"]) {
        std::uint64_t at = number(piece.first.as<std::string>()) - data_address;
        for (const std::uint64_t byte : words(piece.second.as<std::string>(), 16))
            test.memory.at(at++) = static_cast<std::uint8_t>(byte);
    }
    return test;
}

}  // namespace

MachineState plain_state(CodeSize size) {
    MachineState state;
    switch (size) {
    case CodeSize::Bits64: state.selectors = {0, selector::code64, selector::data, 0, 0, 0}; break;
    case CodeSize::Bits32:
        state.selectors = {selector::data, selector::code32, selector::data,
                           selector::data, selector::based,  selector::downward};
        break;
    case CodeSize::Bits16:
        state.selectors = {selector::data16, selector::code16, selector::data16,
                           selector::data16, selector::based,  selector::downward};
        break;
    }
    return state;
}

std::string case_text(const std::string& name, const Case& test) {
    const int code = test.code_size == CodeSize::Bits64   ? 64
                     : test.code_size == CodeSize::Bits32 ? 32
                                                          : 16;
    std::string text = "- name: " + name + "\n  code: " + std::to_string(code) +
                       "\n  bytes: " + byte_text(std::span{test.bytes}.first(test.length)) +
                       "\n  ip: " + hex(test.before.rip) + "\n";
    if (!test.single_step) text += "  single-step: false\n";
    if (test.engine_steps) text += "  engine-steps: true\n";
    if (const auto state = state_text(test.before, plain_state(test.code_size)); !state.empty())
        text += "  state: {" + state + "}\n";
    if (const auto memory = memory_text(test); !memory.empty())
        text += "  memory: {" + memory + "}\n";
    return text;
}

std::vector<NamedCase> load_cases(const std::filesystem::path& file) {
    std::vector<NamedCase> cases;
    for (const auto& node : YAML::LoadFile(file.string()))
        cases.push_back({node["name"].as<std::string>(), parse(node)});
    return cases;
}

}  // namespace backplane::oracle
