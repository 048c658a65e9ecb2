// The packets q and Q: what the stub can do, the threads, the target description.
#include "runtime/gdb/hex.h"
#include "runtime/gdb/packets.h"
#include "runtime/gdb/step_bits.h"
#include "runtime/gdb/stub.h"

#include <fmt/format.h>

#include <algorithm>

namespace backplane::runtime::gdb {

Stub::Reply Stub::query(std::string_view packet) {
    if (packet.starts_with("qSupported")) return supported(packet);
    if (packet == "qC") return "QC" + thread_id(selected_);
    if (packet == "qAttached") return "1";
    if (packet == "qsThreadInfo") return "l";
    if (packet == "qfThreadInfo") {
        std::string list = "m";
        for (std::size_t index = 0; index < cpu_count(); ++index)
            list += (index == 0 ? "" : ",") + thread_id(index);
        return list;
    }
    constexpr std::string_view extra_info = "qThreadExtraInfo,", rcmd = "qRcmd,",
                               read_features = "qXfer:features:read:";
    if (packet.starts_with(extra_info)) return thread_extra_info(packet.substr(extra_info.size()));
    if (packet.starts_with(rcmd)) return monitor(packet.substr(rcmd.size()));
    if (packet.starts_with(read_features)) return features(packet.substr(read_features.size()));
    // As QEMU has them, for the scripts that know these.
    if (packet == "qqemu.Supported") return "sstepbits;sstep;PhyMemMode";
    if (packet == "qqemu.sstepbits")
        return fmt::format("ENABLE={:x},NOIRQ={:x}", step_bits::enable, step_bits::no_interrupts);
    if (packet == "qqemu.sstep") return fmt::format("0x{:x}", step_bits_);
    if (packet == "qqemu.PhyMemMode") return physical_memory_ ? "1" : "0";
    return "";
}

Stub::Reply Stub::set(std::string_view packet) {
    const auto argument = [&](std::string_view name) -> std::optional<std::uint64_t> {
        if (!packet.starts_with(name)) return std::nullopt;
        return number_from_hex(packet.substr(name.size()));
    };
    if (const auto mode = argument("Qqemu.PhyMemMode:")) {
        physical_memory_ = *mode != 0;
        return "OK";
    }
    if (const auto bits = argument("Qqemu.sstep=")) {
        if ((*bits & ~(step_bits::enable | step_bits::no_interrupts)) != 0)
            return error::bad_packet;
        step_bits_ = *bits;
        return "OK";
    }
    return "";
}

Stub::Reply Stub::supported(std::string_view theirs) {
    take_until(theirs, ':');
    bool software = false, hardware = false;
    while (!theirs.empty()) {
        const std::string_view feature = take_until(theirs, ';');
        software |= feature == "swbreak+";
        hardware |= feature == "hwbreak+";
    }
    tells_breakpoints_ = software && hardware;
    return fmt::format("PacketSize={:x};qXfer:features:read+;vContSupported+;QStartNoAckMode+{}",
                       longest_packet, tells_breakpoints_ ? ";swbreak+;hwbreak+" : "");
}

// target.xml:OFFSET,LENGTH
Stub::Reply Stub::features(std::string_view request) const {
    if (take_until(request, ':') != "target.xml") return "E00";
    const auto offset = number_from_hex(take_until(request, ','));
    const auto length = number_from_hex(request);
    if (!offset || !length) return error::bad_packet;
    const std::string text = layout_.target_description();
    if (*offset >= text.size()) return "l";
    const auto part = std::min<std::uint64_t>(*length, longest_packet - 1);
    const bool is_last = text.size() - *offset <= part;
    return (is_last ? "l" : "m") +
           text.substr(static_cast<std::size_t>(*offset), static_cast<std::size_t>(part));
}

Stub::Reply Stub::thread_extra_info(std::string_view id) {
    const auto who = thread(id);
    if (!who || who->is_all) return error::bad_packet;
    const VirtualCpu& wanted = cpu(who->index);
    return to_hex(wanted.component().name() +
                  (wanted.is_halted_for_good() ? " [halted, interrupts off]" : ""));
}

}  // namespace backplane::runtime::gdb
