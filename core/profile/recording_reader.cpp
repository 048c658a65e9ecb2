#include "profile/recording_reader.h"

#include "profile/byte_order.h"
#include "profile/host_files.h"
#include "profile/recording_format.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>

namespace backplane::profile {
namespace {

bool read_settings(std::string_view bytes, Settings& settings) {
    const auto json = nlohmann::json::parse(bytes, nullptr, false);
    if (!json.is_object()) return false;
    try {
        settings.frequency = json.value("frequency", std::uint64_t{0});
        settings.instructions = json.value("instructions", std::uint64_t{0});
        settings.cpus = json.value("cpus", 1u);
        settings.started = json.value("started", std::int64_t{0});
        settings.host_time = json.value("host_time", std::uint64_t{0});
        settings.kernel_symbols = json.value("kernel_symbols", "");
        settings.user_symbols = json.value("user_symbols", std::vector<std::string>{});
    } catch (const nlohmann::json::exception&) {
        return false;
    }
    return true;
}

bool read_samples(ByteReader bytes, std::vector<Sample>& samples) {
    while (!bytes.is_empty()) {
        Sample sample;
        for (std::uint64_t* value :
             {&sample.host_time, &sample.guest_time, &sample.instructions, &sample.thread_time,
              &sample.address_space, &sample.pc, &sample.stack_pointer})
            *value = bytes.get<std::uint64_t>();
        sample.weight = bytes.get<std::uint32_t>();
        sample.cpu = bytes.get<std::uint8_t>();
        sample.flags = bytes.get<std::uint8_t>();
        const auto activity = bytes.get<std::uint8_t>();
        if (activity >= activity_count) return false;
        sample.activity = static_cast<Activity>(activity);
        sample.tier = bytes.get<std::uint8_t>();
        sample.privilege = bytes.get<std::uint8_t>();
        sample.code_size = bytes.get<std::uint8_t>();
        sample.callers.resize(bytes.get<std::uint16_t>());
        for (Caller& caller : sample.callers) {
            caller.address = bytes.get<std::uint64_t>();
            caller.target = bytes.get<std::uint64_t>();
        }
        if (bytes.is_short()) return false;
        samples.push_back(std::move(sample));
    }
    return true;
}

bool read_code(ByteReader bytes, std::vector<CodeBytes>& code) {
    while (!bytes.is_empty()) {
        CodeBytes part;
        part.address = bytes.get<std::uint64_t>();
        part.address_space = bytes.get<std::uint64_t>();
        part.code_size = bytes.get<std::uint8_t>();
        const std::string_view content = bytes.bytes(bytes.get<std::uint16_t>());
        if (bytes.is_short()) return false;
        part.bytes.assign(content.begin(), content.end());
        code.push_back(std::move(part));
    }
    return true;
}

bool read_blocks(ByteReader bytes, std::vector<BlockCount>& blocks) {
    while (!bytes.is_empty()) {
        BlockCount block;
        for (std::uint64_t* value : {&block.pc, &block.physical, &block.hits, &block.instructions})
            *value = bytes.get<std::uint64_t>();
        block.length = bytes.get<std::uint32_t>();
        block.bytes = bytes.get<std::uint32_t>();
        block.cpu = bytes.get<std::uint8_t>();
        block.privilege = bytes.get<std::uint8_t>();
        block.code_size = bytes.get<std::uint8_t>();
        if (bytes.is_short()) return false;
        blocks.push_back(block);
    }
    return true;
}

bool read_markers(ByteReader bytes, std::vector<Marker>& markers) {
    while (!bytes.is_empty()) {
        Marker marker;
        marker.host_time = bytes.get<std::uint64_t>();
        marker.duration = bytes.get<std::uint64_t>();
        marker.cpu = bytes.get<std::uint8_t>();
        marker.name = bytes.bytes(bytes.get<std::uint16_t>());
        marker.text = bytes.bytes(bytes.get<std::uint16_t>());
        if (bytes.is_short()) return false;
        markers.push_back(std::move(marker));
    }
    return true;
}

// Each record has the names, which are the same in all.
bool read_statistics(ByteReader bytes, StatisticsHistory& statistics) {
    std::vector<std::string> names(std::min<std::size_t>(bytes.get<std::uint32_t>(), bytes.left()));
    for (std::string& name : names)
        name = bytes.bytes(bytes.get<std::uint16_t>());
    if (bytes.is_short() || names.empty()) return false;
    if (!statistics.samples.empty() && names != statistics.names) return false;
    statistics.names = std::move(names);
    while (!bytes.is_empty()) {
        StatisticsHistory::Sample sample;
        sample.host_time = bytes.get<std::uint64_t>();
        sample.values.resize(statistics.names.size());
        for (std::uint64_t& value : sample.values)
            value = bytes.get<std::uint64_t>();
        if (bytes.is_short()) return false;
        statistics.samples.push_back(std::move(sample));
    }
    return true;
}

bool read_record(format::Record type, std::string_view bytes, Recording& recording) {
    switch (type) {
    case format::Record::Settings: return read_settings(bytes, recording.settings);
    case format::Record::Samples: return read_samples(ByteReader{bytes}, recording.samples);
    case format::Record::Code: return read_code(ByteReader{bytes}, recording.code);
    case format::Record::Blocks: return read_blocks(ByteReader{bytes}, recording.blocks);
    case format::Record::Markers: return read_markers(ByteReader{bytes}, recording.markers);
    case format::Record::Statistics:
        return read_statistics(ByteReader{bytes}, recording.statistics);
    case format::Record::End: {
        ByteReader reader{bytes};
        recording.lost = reader.get<std::uint64_t>();
        if (!reader.is_empty()) recording.lost_markers = reader.get<std::uint64_t>();
        recording.is_complete = true;
        return true;
    }
    }
    return true;  // of a later version, which says so in its own way if that matters
}

// They are written again and again, as what came since the last time.
void sum_up(std::vector<BlockCount>& blocks) {
    using Key = std::tuple<std::uint8_t, std::uint64_t, std::uint64_t, std::uint32_t, std::uint8_t>;
    std::map<Key, BlockCount> sums;
    for (const BlockCount& block : blocks) {
        const auto [place, is_new] = sums.try_emplace(
            {block.cpu, block.pc, block.physical, block.length, block.privilege}, block);
        if (is_new) continue;
        BlockCount& sum = place->second;
        sum.hits += block.hits;
        sum.instructions += block.instructions;
    }
    blocks.clear();
    for (auto& [key, sum] : sums)
        blocks.push_back(sum);
}

}  // namespace

std::expected<Recording, std::string> parse_recording(std::string_view bytes) {
    ByteReader reader{bytes};
    const std::string_view magic = reader.bytes(format::magic.size());
    if (!std::ranges::equal(magic, format::magic))
        return std::unexpected{"this is no recording of the profiler: it does not begin like one"};
    if (const auto version = reader.get<std::uint32_t>(); version != format::version)
        return std::unexpected{fmt::format(
            "a recording of version {}; this program reads version {}", version, format::version)};
    Recording recording;
    bool has_settings = false;
    while (!reader.is_empty()) {
        const std::size_t left = reader.left();
        format::RecordHeader header{};
        header.type = reader.get<std::uint32_t>();
        header.length = reader.get<std::uint32_t>();
        header.checksum = reader.get<std::uint32_t>();
        const std::string_view content = reader.bytes(header.length);
        const bool is_torn = reader.is_short() || header.length > format::longest_record ||
                             crc32(0, reinterpret_cast<const Bytef*>(content.data()),
                                   header.length) != header.checksum;
        if (is_torn) {
            recording.torn = left;
            break;
        }
        if (!read_record(static_cast<format::Record>(header.type), content, recording))
            return std::unexpected{fmt::format("a damaged recording: the record at byte {} makes "
                                               "no sense",
                                               bytes.size() - left)};
        has_settings = true;
    }
    if (!has_settings)
        return std::unexpected{"the recording ends before its first record is complete"};
    sum_up(recording.blocks);
    return recording;
}

std::expected<Recording, std::string> read_recording(const std::filesystem::path& file) {
    const auto bytes = read_host_file(file);
    if (!bytes) return std::unexpected{bytes.error()};
    auto recording = parse_recording(*bytes);
    if (!recording) return std::unexpected{fmt::format("{}: {}", file.string(), recording.error())};
    return recording;
}

}  // namespace backplane::profile
