#include "shrink.h"

#include "case_file.h"

#include <algorithm>

namespace backplane::oracle {
namespace {

class Shrinker {
public:
    Shrinker(const x86::Decoder& decoder, const Failing& failing, const Case& test)
        : decoder_{decoder}, failing_{failing}, best_{test}, failure_{failing(test)} {}

    Case run() {
        if (failure_.empty()) return best_;
        drop_prefixes();
        const MachineState plain = plain_state(best_.code_size);
        try_change([&](Case& test) { test.engine_steps = false; });
        try_change([&](Case& test) { test.memory = {}; });
        try_change([&](Case& test) { test.before.vector = plain.vector; });
        for (std::size_t at = 0; at < data_bytes; at += 64)
            try_change([&](Case& test) { std::fill_n(&test.memory[at], 64, std::uint8_t{0}); });
        for (unsigned i = 0; i < 16; ++i)
            try_change([&](Case& test) { test.before.gpr[i] = 0; });
        for (unsigned i = 0; i < 16; ++i) {
            try_change([&](Case& test) { test.before.vector.xmm[i] = {}; });
            try_change([&](Case& test) { test.before.vector.ymm_high[i] = {}; });
        }
        for (unsigned i = 0; i < 8; ++i)
            try_change([&](Case& test) { test.before.vector.st[i] = {}; });
        try_change([&](Case& test) { test.before.vector.mxcsr = plain.vector.mxcsr; });
        try_change([&](Case& test) { test.before.vector.control = plain.vector.control; });
        try_change([&](Case& test) { test.before.vector.status = 0; });
        try_change([&](Case& test) { test.before.vector.valid = 0; });
        for (unsigned bit = 0; bit < 22; ++bit)
            if (bit != 9)
                try_change([&](Case& test) { test.before.rflags &= ~(std::uint64_t{1} << bit); });
        try_change([&](Case& test) { test.before.selectors = plain.selectors; });
        try_change([&](Case& test) { test.before.fs_base = 0; });
        try_change([&](Case& test) { test.before.gs_base = 0; });
        return best_;
    }

private:
    template <class Change>
    bool try_change(Change change) {
        Case test = best_;
        change(test);
        if (test.length == 0 || failing_(test) != failure_) return false;
        best_ = test;
        return true;
    }

    void drop_prefixes() {
        for (std::size_t at = 0; at + 1 < best_.length;) {
            const bool dropped = try_change([&](Case& test) {
                std::copy(test.bytes.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                          test.bytes.end(), test.bytes.begin() + static_cast<std::ptrdiff_t>(at));
                --test.length;
                const auto instruction = decode(decoder_, test);
                if (!instruction || instruction->decoded.length != test.length) test.length = 0;
            });
            if (!dropped) ++at;
            if (at > 4) break;
        }
    }

    const x86::Decoder& decoder_;
    const Failing& failing_;
    Case best_;
    std::string failure_;
};

}  // namespace

Case shrink(const x86::Decoder& decoder, const Failing& failing, const Case& test) {
    return Shrinker{decoder, failing, test}.run();
}

Case shrink(Oracle& oracle, const Case& test) {
    Result native, engine;
    // The vectors on both sides and the kind of the first difference.
    const Failing failing = [&](const Case& candidate) -> std::string {
        const auto differences = oracle.run_one(candidate, native, engine);
        // What hangs the child would take too long to try again and again.
        if (differences.empty() || native.vector == NativeProcess::killed) return {};
        std::string kind = differences.front().where;
        std::erase_if(kind, [](char letter) { return letter >= '0' && letter <= '9'; });
        if (kind.starts_with("memory")) kind = "memory";
        return kind + " " + std::to_string(native.vector) + " " + std::to_string(engine.vector);
    };
    return shrink(oracle.decoder(), failing, test);
}

}  // namespace backplane::oracle
