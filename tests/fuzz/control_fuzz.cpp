// Bytes as what a control client sends, to a machine that runs: through lines, requests, arguments
// and the commands themselves.
// clang++ -fsanitize=fuzzer,address,undefined
#include "control/small_machine.h"
#include "runtime/control/session.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace {

using namespace backplane::runtime::control;

struct Running {
    Running() { small.start(); }
    SmallMachine small;
    Context context{*small.machine, small.description, [](const ordered_json&) {}};
};

// Every line is one reply or event, and nothing was a defect of ours.
void check(const std::string& line) {
    const auto message = ordered_json::parse(line);
    const bool is_reply = message.contains("return") != message.contains("error");
    if (is_reply == message.contains("event") || line.back() != '\n') __builtin_trap();
    if (message.contains("error") &&
        message["error"]["message"].get<std::string>().starts_with("internal error"))
        __builtin_trap();
}

void converse(Context& context, std::string_view input) {
    Session session{context, check};
    // A command that waits is asked again at once; the guest reads its keyboard or does not.
    int patience = 32;
    const auto work = [&] {
        while (patience > 0) {
            const Session::Step step = session.step();
            if (step == Session::Step::Idle) return;
            if (step == Session::Step::Wait) --patience;
        }
    };
    for (; !input.empty() && patience > 0; work()) {
        const std::size_t piece = std::min<std::size_t>(input.size(), 1 + input.size() / 2);
        session.receive(input.substr(0, piece));
        input.remove_prefix(piece);
    }
    session.end_of_input();
    work();
    session.send_events(16);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static std::unique_ptr<Running> running;
    if (!running || running->small.has_ended()) {
        running.reset();
        running = std::make_unique<Running>();
    }
    converse(running->context, {reinterpret_cast<const char*>(data), size});
    // A machine that somebody stopped is of little use to the next input.
    running->small.machine->control().resume();
    return 0;
}
