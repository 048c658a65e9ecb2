// Cases in files, so that what failed once is tried for ever:
//
//   - name: MASKMOVQ at the end of a page       one sentence
//     code: 64                                  64, 32 or 16
//     bytes: 0f f7 fc
//     ip: 0x10000800
//     state: {rax: 1, flags: 0x202, xmm3: "0x1 0x2", ymm3: "0x3 0x4", st0: "0x3fff 0x1", mxcsr:
//     0x1f80} memory: {0x20000100: "01 02"} single-step: false                        true when
//     absent
//
// What is absent is zero, or what a process starts with; selectors are those of layout.h. There is
// no expected result: the processor gives it.
#pragma once

#include "case.h"

#include <filesystem>
#include <string>
#include <vector>

namespace backplane::oracle {

struct NamedCase {
    std::string name;
    Case test;
};

std::string case_text(const std::string& name, const Case& test);
// Throws when a file is not understood.
std::vector<NamedCase> load_cases(const std::filesystem::path& file);

// The state of a process with nothing in it.
MachineState plain_state(x86::CodeSize size);

}  // namespace backplane::oracle
