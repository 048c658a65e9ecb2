#include "profile/recording_writer.h"

#include "profile/byte_order.h"

#include <nlohmann/json.hpp>
#include <zlib.h>

namespace backplane::profile {

RecordingWriter::RecordingWriter(const Settings& settings) {
    bytes_.append(format::magic.data(), format::magic.size());
    put(bytes_, format::version);
    const nlohmann::json json{{"frequency", settings.frequency},
                              {"instructions", settings.instructions},
                              {"cpus", settings.cpus},
                              {"started", settings.started},
                              {"host_time", settings.host_time},
                              {"kernel_symbols", settings.kernel_symbols},
                              {"user_symbols", settings.user_symbols}};
    // Names of files may be anything.
    record(format::Record::Settings,
           json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

void RecordingWriter::record(format::Record type, std::string_view bytes) {
    const auto length = static_cast<std::uint32_t>(bytes.size());
    put(bytes_, static_cast<std::uint32_t>(type));
    put(bytes_, length);
    put(bytes_,
        static_cast<std::uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(bytes.data()), length)));
    bytes_ += bytes;
}

void RecordingWriter::add(std::span<const Sample> samples) {
    if (samples.empty()) return;
    std::string bytes;
    for (const Sample& sample : samples) {
        for (const std::uint64_t value :
             {sample.host_time, sample.guest_time, sample.instructions, sample.thread_time,
              sample.address_space, sample.pc, sample.stack_pointer})
            put(bytes, value);
        put(bytes, sample.weight);
        for (const std::uint8_t value :
             {sample.cpu, sample.flags, static_cast<std::uint8_t>(sample.activity), sample.tier,
              sample.privilege, sample.code_size})
            put(bytes, value);
        put(bytes, static_cast<std::uint16_t>(sample.callers.size()));
        for (const Caller& caller : sample.callers) {
            put(bytes, caller.address);
            put(bytes, caller.target);
        }
    }
    record(format::Record::Samples, bytes);
}

void RecordingWriter::add(std::span<const CodeBytes> code) {
    if (code.empty()) return;
    std::string bytes;
    for (const CodeBytes& part : code) {
        put(bytes, part.address);
        put(bytes, part.address_space);
        put(bytes, part.code_size);
        put(bytes, static_cast<std::uint16_t>(part.bytes.size()));
        bytes.append(reinterpret_cast<const char*>(part.bytes.data()), part.bytes.size());
    }
    record(format::Record::Code, bytes);
}

void RecordingWriter::add(std::span<const BlockCount> blocks) {
    if (blocks.empty()) return;
    std::string bytes;
    for (const BlockCount& block : blocks) {
        for (const std::uint64_t value : {block.pc, block.physical, block.hits, block.instructions})
            put(bytes, value);
        put(bytes, block.length);
        put(bytes, block.bytes);
        for (const std::uint8_t value : {block.cpu, block.privilege, block.code_size})
            put(bytes, value);
    }
    record(format::Record::Blocks, bytes);
}

void RecordingWriter::add(std::span<const Marker> markers) {
    if (markers.empty()) return;
    std::string bytes;
    const auto put_text = [&](const std::string& text) {
        put(bytes, static_cast<std::uint16_t>(text.size()));
        bytes.append(text, 0, static_cast<std::uint16_t>(text.size()));
    };
    for (const Marker& marker : markers) {
        put(bytes, marker.host_time);
        put(bytes, marker.duration);
        put(bytes, marker.cpu);
        put_text(marker.name);
        put_text(marker.text);
    }
    record(format::Record::Markers, bytes);
}

void RecordingWriter::add(const StatisticsHistory& statistics) {
    if (statistics.samples.empty()) return;
    std::string bytes;
    put(bytes, static_cast<std::uint32_t>(statistics.names.size()));
    for (const std::string& name : statistics.names) {
        put(bytes, static_cast<std::uint16_t>(name.size()));
        bytes.append(name, 0, static_cast<std::uint16_t>(name.size()));
    }
    for (const StatisticsHistory::Sample& sample : statistics.samples) {
        put(bytes, sample.host_time);
        for (const std::uint64_t value : sample.values)
            put(bytes, value);
    }
    record(format::Record::Statistics, bytes);
}

void RecordingWriter::end(std::uint64_t lost, std::uint64_t lost_markers) {
    std::string bytes;
    put(bytes, lost);
    put(bytes, lost_markers);
    record(format::Record::End, bytes);
}

std::string RecordingWriter::take() { return std::exchange(bytes_, {}); }

}  // namespace backplane::profile
