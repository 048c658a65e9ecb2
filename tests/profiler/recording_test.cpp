#include "profile/recording_reader.h"
#include "profile/recording_writer.h"
#include "profile/statistics_history.h"
#include "support/temp_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace backplane::profile {
namespace {

using ::testing::HasSubstr;

Sample sample_at(std::uint64_t pc) {
    Sample sample;
    sample.host_time = 1000;
    sample.guest_time = 900;
    sample.instructions = 12345;
    sample.thread_time = 77;
    sample.address_space = 0xabc000;
    sample.pc = pc;
    sample.stack_pointer = 0x7000;
    sample.weight = 3;
    sample.cpu = 2;
    sample.flags = Sample::exact;
    sample.activity = Activity::Device;
    sample.tier = 1;
    sample.privilege = 3;
    sample.code_size = 32;
    sample.callers = {{0x1111, Caller::indirect}, {0x2222, 0x3333}};
    return sample;
}

std::string whole_recording() {
    RecordingWriter writer{{.frequency = 1000,
                            .instructions = 0,
                            .cpus = 4,
                            .started = 5,
                            .host_time = 6,
                            .kernel_symbols = "/a/System.map",
                            .user_symbols = {"x", "y@10"}}};
    writer.add(std::vector{sample_at(0xffff'ffff'8100'0000), sample_at(2)});
    writer.add(std::vector{
        CodeBytes{.address = 16, .address_space = 4096, .code_size = 64, .bytes = {1, 2, 3}}});
    const BlockCount block{.pc = 1,
                           .physical = 2,
                           .hits = 3,
                           .instructions = 12,
                           .length = 4,
                           .bytes = 9,
                           .cpu = 0,
                           .privilege = 3,
                           .code_size = 64};
    writer.add(std::vector{block});
    writer.add(std::vector{block});
    writer.add(
        std::vector{Marker{.host_time = 8, .duration = 9, .cpu = 1, .name = "n", .text = "t"}});
    writer.end(11, 12);
    return writer.take();
}

TEST(Recording, ComesBackAsItWasWritten) {
    const auto recording = parse_recording(whole_recording());
    ASSERT_TRUE(recording) << recording.error();
    EXPECT_EQ(recording->settings.frequency, 1000u);
    EXPECT_EQ(recording->settings.cpus, 4u);
    EXPECT_EQ(recording->settings.kernel_symbols, "/a/System.map");
    EXPECT_EQ(recording->settings.user_symbols, (std::vector<std::string>{"x", "y@10"}));
    ASSERT_EQ(recording->samples.size(), 2u);
    const Sample& sample = recording->samples[0];
    EXPECT_EQ(sample.pc, 0xffff'ffff'8100'0000);
    EXPECT_EQ(sample.callers, sample_at(0).callers);
    EXPECT_EQ(sample.activity, Activity::Device);
    EXPECT_EQ(sample.weight, 3u);
    EXPECT_EQ(sample.code_size, 32);
    EXPECT_EQ(sample.stack_pointer, 0x7000u);
    ASSERT_EQ(recording->code.size(), 1u);
    EXPECT_EQ(recording->code[0].bytes, (std::vector<std::uint8_t>{1, 2, 3}));
    ASSERT_EQ(recording->markers.size(), 1u);
    EXPECT_EQ(recording->markers[0].text, "t");
    EXPECT_EQ(recording->lost, 11u);
    EXPECT_EQ(recording->lost_markers, 12u);
    EXPECT_TRUE(recording->is_complete);
    EXPECT_EQ(recording->torn, 0u);
}

TEST(Recording, StatisticsAreBehindItsEnd) {
    const std::filesystem::path file = test::temp_path("recording.data");
    const std::string before = whole_recording();
    std::ofstream{file, std::ios::binary} << before;
    StatisticsHistory statistics{.names = {"a", "jit.b"}, .samples = {}};
    for (std::uint64_t i = 0; i < 5000; ++i)  // more than one record
        statistics.samples.push_back({.host_time = i, .values = {2 * i, 3 * i}});
    ASSERT_TRUE(append_statistics(file, statistics));
    const auto recording = read_recording(file);
    ASSERT_TRUE(recording) << recording.error();
    EXPECT_TRUE(recording->is_complete);
    EXPECT_EQ(recording->samples.size(), 2u);
    EXPECT_EQ(recording->statistics.names, statistics.names);
    ASSERT_EQ(recording->statistics.samples.size(), 5000u);
    EXPECT_EQ(recording->statistics.samples[4999].host_time, 4999u);
    EXPECT_EQ(recording->statistics.samples[4999].values,
              (std::vector<std::uint64_t>{9998, 14997}));
    EXPECT_EQ(growth(recording->statistics, "jit.b"), 14997u);
    EXPECT_FALSE(growth(recording->statistics, "c"));

    // Where that was cut off, what is before it counts.
    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
    EXPECT_TRUE(read_recording(file)->is_complete);
    EXPECT_EQ(read_recording(file)->statistics.samples.size(), 4096u);
    EXPECT_THAT(append_statistics("/nowhere/x.data", statistics).error(),
                HasSubstr("cannot add statistics to /nowhere/x.data: No such file"));
    EXPECT_THAT(append_statistics("/dev/full", statistics).error(),
                HasSubstr("No space left on device"));
    std::filesystem::remove(file);
}

TEST(Recording, AnEndFromBeforeMarkersCouldBeLostIsRead) {
    using namespace std::string_literals;
    std::string bytes = whole_recording();
    bytes.resize(bytes.size() - (12 + 16));
    // Type, length and checksum of a record, and the samples lost.
    bytes += "\6\0\0\0\x8\0\0\0\x3f\xc3\x48\x38\xb\0\0\0\0\0\0\0"s;
    const auto recording = parse_recording(bytes);
    ASSERT_TRUE(recording) << recording.error();
    EXPECT_TRUE(recording->is_complete);
    EXPECT_EQ(recording->lost, 11u);
    EXPECT_EQ(recording->lost_markers, 0u);
    EXPECT_EQ(recording->markers.size(), 1u);
}

TEST(Recording, BlockCountsAddUp) {
    const auto recording = parse_recording(whole_recording());
    ASSERT_TRUE(recording);
    ASSERT_EQ(recording->blocks.size(), 1u);
    EXPECT_EQ(recording->blocks[0].hits, 6u);
    EXPECT_EQ(recording->blocks[0].instructions, 24u);
}

TEST(Recording, IsReadAsFarAsItsWriterGot) {
    const std::string whole = whole_recording();
    std::size_t most = 0, with_samples = 0;
    for (std::size_t length = 0; length < whole.size(); ++length) {
        const auto recording = parse_recording(std::string_view{whole}.substr(0, length));
        if (!recording) {
            EXPECT_EQ(most, 0u) << "what was readable stays so";
            continue;
        }
        EXPECT_FALSE(recording->is_complete);
        EXPECT_GE(recording->samples.size(), most);
        most = recording->samples.size();
        with_samples += most == 2;
    }
    EXPECT_EQ(most, 2u);
    EXPECT_GT(with_samples, 100u);
}

TEST(Recording, WhatFollowsADamagedRecordIsIgnored) {
    std::string bytes = whole_recording();
    const auto whole = parse_recording(bytes);
    bytes[bytes.size() - 3] ^= 1;
    const auto recording = parse_recording(bytes);
    ASSERT_TRUE(recording);
    EXPECT_FALSE(recording->is_complete);
    EXPECT_GT(recording->torn, 0u);
    EXPECT_EQ(recording->samples.size(), whole->samples.size());
}

TEST(Recording, OtherFilesAreRefused) {
    EXPECT_THAT(parse_recording("").error(), HasSubstr("does not begin like one"));
    EXPECT_THAT(parse_recording("hello, world, this is text").error(),
                HasSubstr("does not begin like one"));
    std::string later = whole_recording();
    later[12] = 9;
    EXPECT_THAT(parse_recording(later).error(),
                HasSubstr("version 9; this program reads version 1"));
    EXPECT_THAT(read_recording("/nowhere/at/all.data").error(),
                HasSubstr("cannot open /nowhere/at/all.data: No such file"));
}

}  // namespace
}  // namespace backplane::profile
