// Makes cases, runs them on both sides, counts what was covered and keeps what differs.
#pragma once

#include "case_generator.h"
#include "comparison.h"
#include "engine_process.h"
#include "form_list.h"
#include "native_process.h"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace backplane::oracle {

struct FormCount {
    std::uint64_t cases = 0, completed = 0, excused = 0, failures = 0;
};

struct Failure {
    int form = -1;  // -1: bytes without a form
    Case test;
    std::string text;
};

class Oracle {
public:
    explicit Oracle(std::uint64_t seed);

    // Empty when cases can be executed on this host.
    const std::string& problem() const { return native_.problem(); }
    NativeProcess& native() { return native_; }
    const x86::Decoder& decoder() const { return decoder_; }

    // 16-bit code needs a local descriptor table, which the host may refuse.
    bool has_code16() const { return native_.has_local_table(); }

    // One batch of cases, form after form.
    void run_batch();
    // One batch of one form.
    void run_form(std::size_t form);

    // The same case on both sides. Empty: equal.
    std::vector<Difference> run_one(const Case& test, Result& native, Result& engine);

    const FormList& forms() const { return forms_; }
    const std::vector<FormCount>& counts() const { return counts_; }
    const std::vector<Failure>& failures() const { return failures_; }
    std::uint64_t cases() const { return cases_; }
    std::uint64_t cases(x86::CodeSize size) const {
        return by_size_[static_cast<std::size_t>(size)];
    }
    std::uint64_t invalid_cases() const { return invalid_; }
    std::uint64_t failed() const { return failed_; }
    // To how many cases each known disagreement applied, in the order of its table.
    std::span<const std::uint64_t> excused() const { return excused_; }

private:
    void make_cases();
    void run_cases();
    void compare_batch();

    x86::Decoder decoder_;
    FormList forms_;
    NativeProcess native_;
    EngineProcess engine_;
    CaseGenerator generator_;
    Random random_;
    std::vector<std::size_t> order_;  // of the forms that can be executed
    std::size_t next_ = 0;
    std::vector<FormCount> counts_;
    FormCount without_form_;
    std::array<Result, NativeProcess::batch_size> engine_results_;
    std::vector<Failure> failures_;
    std::uint64_t cases_ = 0, invalid_ = 0, failed_ = 0;
    std::array<std::uint64_t, 3> by_size_{};
    std::vector<std::uint64_t> excused_;
};

// How our decoder reads the bytes of a case; empty when they are no instruction.
std::optional<x86::Instruction> decode(const x86::Decoder& decoder, const Case& test);

}  // namespace backplane::oracle
