#include "oracle.h"

#include "disagreements.h"
#include "exemptions.h"
#include "form.h"
#include "x86/instruction_set.h"

namespace backplane::oracle {
namespace {

using x86::CodeSize;

constexpr std::size_t failures_kept = 4;  // of each form

bool is_executed(const Form& form) {
    return form.advertised && (!form.exemption || form.exemption->privileged);
}

}  // namespace

std::optional<x86::Instruction> decode(const x86::Decoder& decoder, const Case& test) {
    x86::Instruction instruction;
    if (decoder.decode(std::as_bytes(std::span{test.bytes}.first(test.length)), test.code_size,
                       test.before.rip, instruction) != x86::DecodeStatus::Complete)
        return std::nullopt;
    return instruction;
}

Oracle::Oracle(std::uint64_t seed)
    : decoder_{x86::decoder_features(complete_model())}, forms_{decoder_, complete_model()},
      generator_{decoder_, native_.problem().empty() && native_.has_local_table(), seed},
      random_{seed ^ 0x0a1c1e}, counts_(forms_.forms().size()), excused_(disagreements().size()) {
    for (std::size_t i = 0; i < forms_.forms().size(); ++i) {
        const Form& form = forms_.forms()[i];
        if (form.code_size == CodeSize::Bits16 && !native_.has_local_table()) continue;
        if (is_executed(form)) order_.push_back(i);
    }
    for (std::size_t i = order_.size(); i > 1; --i)
        std::swap(order_[i - 1], order_[random_.below(i)]);
}

void Oracle::make_cases() {
    static constexpr CodeSize sizes[] = {CodeSize::Bits64, CodeSize::Bits64, CodeSize::Bits32,
                                         CodeSize::Bits16};
    for (Case& test : native_.cases())
        for (;;) {
            if (random_.percent(6)) {
                if (generator_.make_random(random_.one_of(sizes), test)) break;
                continue;
            }
            const Form& form = forms_.forms()[order_[next_]];
            next_ = (next_ + 1) % order_.size();
            if (generator_.make(form, test)) break;
        }
}

void Oracle::run_batch() {
    make_cases();
    run_cases();
}

void Oracle::run_form(std::size_t form) {
    constexpr unsigned attempts = 1000;
    for (Case& test : native_.cases())
        for (unsigned i = 0; !generator_.make(forms_.forms()[form], test); ++i)
            if (i == attempts) return;
    run_cases();
}

void Oracle::run_cases() {
    native_.start(NativeProcess::batch_size);
    for (std::size_t i = 0; i < NativeProcess::batch_size; ++i)
        engine_.run(native_.cases()[i], engine_results_[i]);
    native_.finish();
    compare_batch();
}

void Oracle::compare_batch() {
    for (std::size_t i = 0; i < NativeProcess::batch_size; ++i) {
        const Case& test = native_.cases()[i];
        Result& native = native_.results()[i];
        normalize_native(test, native);
        const auto instruction = decode(decoder_, test);
        const auto* decoded = instruction ? &*instruction : nullptr;
        const int form = decoded ? forms_.find(form_key(*decoded)) : -1;
        ++cases_;
        ++by_size_[static_cast<std::size_t>(test.code_size)];
        if (!decoded) ++invalid_;
        FormCount& count = form < 0 ? without_form_ : counts_[static_cast<std::size_t>(form)];
        ++count.cases;
        count.completed += native.completed();
        count.excused += excused_parts(test, decoded, native) == part::all;
        for (std::size_t reason = 0; reason < excused_.size(); ++reason)
            excused_[reason] += disagreements()[reason].applies(test, decoded, native);
        const auto differences = compare(test, decoded, native, engine_results_[i]);
        if (differences.empty()) continue;
        ++failed_;
        if (++count.failures > failures_kept) continue;
        failures_.push_back(
            {form, test, describe(test, decoded, native, engine_results_[i], differences)});
    }
}

std::vector<Difference> Oracle::run_one(const Case& test, Result& native, Result& engine) {
    native_.cases()[0] = test;
    native_.start(1);
    engine_.run(test, engine);
    native_.finish();
    native = native_.results()[0];
    normalize_native(test, native);
    const auto instruction = decode(decoder_, test);
    return compare(test, instruction ? &*instruction : nullptr, native, engine);
}

}  // namespace backplane::oracle
