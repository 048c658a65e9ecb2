// Makes a recording's bytes; what becomes of them is for the caller.
#pragma once

#include "profile/recording.h"
#include "profile/recording_format.h"

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace backplane::profile {

class RecordingWriter {
public:
    // More for a file that is there.
    RecordingWriter() = default;
    // What a file begins with.
    explicit RecordingWriter(const Settings& settings);

    void add(std::span<const Sample> samples);
    void add(std::span<const CodeBytes> code);
    void add(std::span<const BlockCount> blocks);
    void add(std::span<const Marker> markers);
    void add(const StatisticsHistory& statistics);
    void end(std::uint64_t lost, std::uint64_t lost_markers);

    // All since the last time.
    std::string take();

private:
    void record(format::Record type, std::string_view bytes);

    std::string bytes_;
};

}  // namespace backplane::profile
