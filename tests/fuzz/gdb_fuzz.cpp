// Any bytes as what GDB sends: framing and commands must survive, and answer within the limits of
// the protocol.
#include "gdb/debugged_machine.h"
#include "runtime/gdb/packets.h"
#include "runtime/gdb/server_address.h"
#include "runtime/gdb/stub.h"

#include <cstdlib>
#include <string>

namespace {

using namespace backplane::runtime;

Machine& machine() {
    static const auto built = [] {
        Diagnostics diagnostics;
        auto made = Machine::build(gdb::debugged_machine(2), diagnostics);
        if (!made) std::abort();
        return made;
    }();
    return *built;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string bytes{reinterpret_cast<const char*>(data), size};
    (void)gdb::parse_server_address(bytes);
    gdb::Stub stub{machine(), [](const std::string& reply) {
                       if (reply.size() > gdb::longest_packet) std::abort();
                       gdb::PacketReader reader;
                       reader.feed(gdb::framed(reply));
                       const auto back = reader.next();
                       if (!back || back->payload != reply) std::abort();
                   }};
    // Nobody runs the machine: what is asked of it stays undone.
    gdb::PacketReader reader;
    reader.feed(bytes);
    while (const auto received = reader.next())
        if (received->kind == gdb::Received::Kind::Packet) stub.handle(received->payload);
    // As packets without their framing, which a mutator does not get right often.
    for (std::size_t start = 0; start < bytes.size();) {
        const std::size_t end = std::min(bytes.find('\n', start), bytes.size());
        stub.handle(bytes.substr(start, end - start));
        start = end + 1;
    }
    stub.let_go();
    (void)machine().control().carry_out();
    return 0;
}
