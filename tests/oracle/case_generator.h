// Makes cases: instruction bytes of a form with everything open filled in at random, and a state in
// which the instruction has something to do.
#pragma once

#include "case.h"
#include "encoding.h"
#include "form_list.h"
#include "random.h"
#include "state_generator.h"
#include "x86/decoder.h"

namespace backplane::oracle {

class CaseGenerator {
public:
    CaseGenerator(const x86::Decoder& decoder, bool has_local_table, std::uint64_t seed)
        : decoder_{decoder}, has_local_table_{has_local_table}, random_{seed}, states_{seed} {}

    // False: this time nothing that can be executed came out; try again.
    bool make(const Form& form, Case& test);

    // Arbitrary bytes, most of which are instructions.
    bool make_random(x86::CodeSize size, Case& test);

private:
    ByteString fill_in(const Form& form);
    void add_prefixes(OpenParts& open, const Skeleton& skeleton);
    void vary_modrm(Skeleton& skeleton, const Form& form, OpenParts& open);
    bool finish(x86::CodeSize size, ByteString bytes, Case& test);

    const x86::Decoder& decoder_;
    bool has_local_table_;
    Random random_;
    StateGenerator states_;
};

}  // namespace backplane::oracle
