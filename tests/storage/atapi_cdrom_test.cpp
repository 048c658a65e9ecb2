// Packet commands as a driver gives them. (MMC-5; ATA/ATAPI-7)
#include "atapi_bench.h"

namespace backplane::storage {
namespace {

using Sense3 = std::array<int, 3>;
constexpr std::uint8_t checked(int key) {
    return static_cast<std::uint8_t>(key << 4 | ata_error::abrt);
}

TEST(AtapiCdromTest, ShowsTheSignatureOfAPacketDevice) {
    CdBench bench;
    auto& port = *bench.port;
    EXPECT_EQ(port.status(), 0);
    EXPECT_EQ(port.error(), diagnostic_passed);
    EXPECT_EQ(port.lba24(), packet_signature);
    port.issue(ata_command::identify_device);
    EXPECT_EQ(port.status(), failed);
    EXPECT_EQ(port.error(), ata_error::abrt);
    EXPECT_EQ(port.lba24(), packet_signature);
    port.select(1);
    EXPECT_EQ(port.lba24(), 0u) << "a packet device answers for device 1 with zeros";
}

TEST(AtapiCdromTest, IdentifiesItselfAsAPacketDevice) {
    CdBench bench{2048, {{"model", "A drive"}}};
    const auto words = bench.port->identify(ata_command::identify_packet_device);
    ASSERT_EQ(words.size(), 256u);
    EXPECT_EQ(words[0], 0x85c0);
    EXPECT_EQ(identify_text(words, 27, 4), "A drive ");
    EXPECT_EQ(words[49] & 0x0300, 0x0300);
    EXPECT_EQ(words[82] & 0x0010, 0x0010);
}

TEST(AtapiCdromTest, TheFirstCommandAfterPowerOnIsRefusedOnce) {
    CdBench bench;
    EXPECT_EQ(bench.send({packet_command::test_unit_ready}).error, checked(6));
    EXPECT_EQ(bench.sense(), (Sense3{6, 0x29, 0}));
    EXPECT_EQ(bench.sense(), (Sense3{0, 0, 0})) << "it is told once";
    const auto answer = bench.send({packet_command::test_unit_ready});
    EXPECT_EQ(answer.status, ready);
    EXPECT_EQ(answer.error, 0);
}

TEST(AtapiCdromTest, InquiryWorksBeforeThat) {
    CdBench bench;
    const auto answer = bench.send({packet_command::inquiry, 0, 0, 0, 36});
    ASSERT_EQ(answer.data.size(), 36u);
    EXPECT_EQ(answer.data[0], 0x05);
    EXPECT_EQ(answer.data[1], 0x80);
    EXPECT_EQ((std::string{answer.data.begin() + 8, answer.data.begin() + 24}), "BACKPLANCD-ROM  ");
    EXPECT_EQ(bench.send({packet_command::inquiry, 0, 0, 0, 5}).data.size(), 5u) << "as allocated";
    EXPECT_EQ(bench.send({packet_command::test_unit_ready}).error, checked(6))
        << "still to be told";
}

TEST(AtapiCdromTest, VitalProductDataHasTheSerialNumber) {
    CdBench bench{2048, {{"serial", "S123"}}};
    EXPECT_EQ(bench.send({packet_command::inquiry, 1, 0x00, 0, 64}).data,
              (Data{5, 0, 0, 3, 0x00, 0x80, 0x83}));
    EXPECT_EQ(bench.send({packet_command::inquiry, 1, 0x80, 0, 64}).data,
              (Data{5, 0x80, 0, 4, 'S', '1', '2', '3'}));
    EXPECT_EQ(bench.send({packet_command::inquiry, 1, 0x83, 0, 255}).data.size(), 8u + 24 + 4);
    EXPECT_EQ(bench.send({packet_command::inquiry, 1, 0x99, 0, 64}).error, checked(5));
    EXPECT_EQ(bench.sense(), (Sense3{5, 0x24, 0}));
}

TEST(AtapiCdromTest, ReadsBlocksInPiecesOfTheHostsSize) {
    CdBench bench;
    bench.ready_for_commands();
    const auto one = bench.send(read_10(7, 1), 2048);
    EXPECT_EQ(one.data, slice(bench.image, 7 * 2048, 2048));
    EXPECT_EQ(one.blocks, std::vector<unsigned>{2048});
    EXPECT_EQ(one.status, ready);
    const auto whole_blocks = bench.send(read_10(0, 5), 5000);
    EXPECT_EQ(whole_blocks.blocks, (std::vector<unsigned>{4096, 4096, 2048}));
    EXPECT_EQ(whole_blocks.data, slice(bench.image, 0, 5 * 2048));
    const auto small = bench.send(read_10(3, 1), 1001);
    EXPECT_EQ(small.blocks, (std::vector<unsigned>{1000, 1000, 48})) << "even but for the last";
    EXPECT_EQ(small.data, slice(bench.image, 3 * 2048, 2048));
    const auto large = bench.send(read_10(10, 300), 0xffff);
    EXPECT_EQ(large.data, slice(bench.image, 10 * 2048, 300 * 2048));
    for (const unsigned bytes : large.blocks)
        EXPECT_EQ(bytes % 2048, 0u);
    EXPECT_EQ(bench.send({packet_command::read_12, 0, 0, 0, 0, 2, 0, 0, 0, 2}).data,
              slice(bench.image, 2 * 2048, 2 * 2048));
}

TEST(AtapiCdromTest, NoRoomForDataEndsTheCommand) {
    CdBench bench;
    bench.ready_for_commands();
    const auto answer = bench.send(read_10(0, 1), 0);
    EXPECT_EQ(answer.status, failed);
    EXPECT_EQ(answer.error, ata_error::abrt);
    EXPECT_EQ(bench.send({packet_command::test_unit_ready}, 0).status, ready)
        << "none is needed without data";
}

TEST(AtapiCdromTest, BlocksBeyondTheEndAreOutOfRange) {
    CdBench bench;
    bench.ready_for_commands();
    EXPECT_EQ(bench.send({packet_command::read_capacity}).data, (Data{0, 0, 1, 0x8f, 0, 0, 8, 0}));
    EXPECT_EQ(bench.send(read_10(399, 1)).status, ready);
    EXPECT_EQ(bench.send(read_10(400, 0)).status, ready);
    for (const Packet& packet : {read_10(399, 2), read_10(400, 1), read_10(0xffffffff, 1),
                                 Packet{packet_command::seek_10, 0, 0, 0, 1, 0x90}}) {
        EXPECT_EQ(bench.send(packet).error, checked(5));
        EXPECT_EQ(bench.sense(), (Sense3{5, 0x21, 0}));
    }
}

TEST(AtapiCdromTest, APartialLastBlockEndsWithZeroes) {
    CdBench bench{3 * 2048 + 512};
    bench.ready_for_commands();
    EXPECT_EQ(bench.send({packet_command::read_capacity}).data[3], 3);
    Data expected = slice(bench.image, 2 * 2048, 2048 + 512);
    expected.resize(2 * 2048);
    EXPECT_EQ(bench.send(read_10(2, 2)).data, expected);
}

TEST(AtapiCdromTest, AnUnreadableBlockIsNamed) {
    CdBench bench;
    bench.ready_for_commands();
    bench.image.bad = {5 * 2048 + 512, 5 * 2048 + 1024};
    const auto answer = bench.send(read_10(3, 4));
    EXPECT_EQ(answer.data, slice(bench.image, 3 * 2048, 2 * 2048));
    EXPECT_EQ(answer.error, checked(3));
    const Data data = bench.send({packet_command::request_sense, 0, 0, 0, 18}).data;
    EXPECT_EQ(data[0], 0xf0);
    EXPECT_EQ(data[2], 3);
    EXPECT_EQ(data[6], 5);
    EXPECT_EQ(data[12], 0x11);
}

TEST(AtapiCdromTest, ATableOfContentsInEachFormat) {
    CdBench bench;
    bench.ready_for_commands();
    const auto toc = [&](int format, int msf, int first, int allocated = 255) {
        return bench
            .send({packet_command::read_toc, static_cast<std::uint8_t>(msf << 1),
                   static_cast<std::uint8_t>(format), 0, 0, 0, static_cast<std::uint8_t>(first), 0,
                   static_cast<std::uint8_t>(allocated)})
            .data;
    };
    EXPECT_EQ(toc(0, 0, 0),
              (Data{0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, 0, 0, 1, 0x90}));
    EXPECT_EQ(toc(0, 1, 0xaa), (Data{0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 7, 25}));
    EXPECT_EQ(toc(0, 0, 0, 4), (Data{0, 18, 1, 1}));
    EXPECT_EQ(toc(1, 0, 0), (Data{0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0}));
    const Data raw = toc(2, 0, 1);
    ASSERT_EQ(raw.size(), 48u);
    EXPECT_EQ((Data{raw.begin() + 26, raw.begin() + 37}),
              (Data{1, 0x14, 0, 0xa2, 0, 0, 0, 0, 0, 7, 25}));
    EXPECT_EQ(toc(5, 0, 0), Data{});
    EXPECT_EQ(bench.sense(), (Sense3{5, 0x24, 0}));
    EXPECT_EQ(toc(0, 0, 2), Data{}) << "there is no track 2";
    EXPECT_EQ(bench.send({packet_command::read_toc, 0, 0, 0, 0, 0, 0, 0, 255, 0x40}).data.size(),
              12u)
        << "the format where SFF-8020i has it";
}

TEST(AtapiCdromTest, RawSectorsHaveSyncHeaderAndCodes) {
    CdBench bench;
    bench.ready_for_commands();
    const auto read = [&](int parts, int blocks) {
        return bench.send({packet_command::read_cd, 0, 0, 0, 0, 16, 0, 0,
                           static_cast<std::uint8_t>(blocks), static_cast<std::uint8_t>(parts)});
    };
    EXPECT_EQ(read(0x10, 2).data, slice(bench.image, 16 * 2048, 2 * 2048));
    const auto raw = read(0xf8, 60);
    ASSERT_EQ(raw.data.size(), 60u * 2352);
    for (std::size_t block = 0; block < 60; ++block) {
        const auto sector = std::span{raw.data}.subspan(block * 2352, 2352);
        EXPECT_EQ(sector[0], 0);
        EXPECT_EQ(sector[1], 0xff);
        const unsigned frame = 16 + 150 + static_cast<unsigned>(block);
        EXPECT_EQ(sector[13], frame / 75 / 10 << 4 | frame / 75 % 10);
        EXPECT_EQ(sector[14], frame % 75 / 10 << 4 | frame % 75 % 10);
        EXPECT_EQ(sector[15], 1);
        EXPECT_TRUE(std::equal(sector.begin() + 16, sector.begin() + 2064,
                               bench.image.bytes.begin() +
                                   static_cast<std::ptrdiff_t>((16 + block) * 2048)));
    }
    EXPECT_EQ(read(0x20, 1).data, (Data{0x00, 0x02, 0x16, 0x01})) << "the header alone";
    EXPECT_EQ(read(0x00, 1).data, Data{});
    EXPECT_EQ(read(0x12, 1).error, checked(5)) << "no error flags";
    const auto msf = bench.send({packet_command::read_cd_msf, 0, 0, 0, 2, 16, 0, 2, 18, 0x10});
    EXPECT_EQ(msf.data, slice(bench.image, 16 * 2048, 2 * 2048));
    EXPECT_EQ(bench.send({packet_command::read_cd_msf, 0, 0, 0, 2, 16, 0, 2, 15, 0x10}).error,
              checked(5));
    EXPECT_EQ(bench.send({packet_command::read_cd, 1 << 2, 0, 0, 0, 0, 0, 0, 1, 0x10}).error,
              checked(5))
        << "no audio";
    EXPECT_EQ(bench.sense(), (Sense3{5, 0x64, 0}));
}

TEST(AtapiCdromTest, TheTrayOpensAndLocks) {
    CdBench bench;
    bench.ready_for_commands();
    const auto prevent = [&](int lock) {
        return bench.send({packet_command::prevent_allow_medium_removal, 0, 0, 0,
                           static_cast<std::uint8_t>(lock)});
    };
    const auto start_stop = [&](int how) {
        return bench.send(
            {packet_command::start_stop_unit, 0, 0, 0, static_cast<std::uint8_t>(how)});
    };
    EXPECT_EQ(prevent(1).status, ready);
    EXPECT_TRUE(bench.image.is_locked);
    EXPECT_EQ(start_stop(2).error, checked(5));
    EXPECT_EQ(bench.sense(), (Sense3{5, 0x53, 2}));
    EXPECT_EQ(prevent(0).status, ready);
    EXPECT_EQ(start_stop(2).status, ready);
    EXPECT_EQ(bench.cdrom.statistic("tray.open"), 1u);
    EXPECT_EQ(bench.send(read_10(0, 1)).error, checked(2));
    EXPECT_EQ(bench.sense(), (Sense3{2, 0x3a, 2}));
    EXPECT_EQ(bench.send({packet_command::mechanism_status, 0, 0, 0, 0, 0, 0, 0, 0, 8}).data[1],
              0x10);
    EXPECT_EQ(start_stop(3).status, ready);
    EXPECT_EQ(bench.send({packet_command::test_unit_ready}).error, checked(6));
    EXPECT_EQ(bench.sense(), (Sense3{6, 0x28, 0}));
    EXPECT_EQ(bench.send(read_10(0, 1)).status, ready);
}

TEST(AtapiCdromTest, AChangedMediumIsReported) {
    CdBench bench;
    bench.ready_for_commands();
    const auto event = [&] {
        const Data data = bench
                              .send({packet_command::get_event_status_notification, 1, 0, 0, 0x10,
                                     0, 0, 0, 8})
                              .data;
        return std::array<int, 2>{data.at(4), data.at(5)};
    };
    EXPECT_EQ(event(), (std::array{0, 2}));
    bench.image.change_medium(std::nullopt);
    EXPECT_EQ(event(), (std::array{3, 0}));
    EXPECT_EQ(event(), (std::array{0, 0})) << "told once";
    EXPECT_EQ(bench.send({packet_command::test_unit_ready}).error, checked(6));
    EXPECT_EQ(bench.send({packet_command::test_unit_ready}).error, checked(2));
    EXPECT_EQ(bench.sense(), (Sense3{2, 0x3a, 1}));
    bench.image.change_medium(Data(10 * 2048, 0x77));
    EXPECT_EQ(event(), (std::array{2, 2}));
    EXPECT_EQ(bench.send({packet_command::test_unit_ready}).error, checked(6));
    EXPECT_EQ(bench.sense(), (Sense3{6, 0x28, 0}));
    EXPECT_EQ(bench.send(read_10(9, 1)).data, Data(2048, 0x77));
    bench.image.press_eject();
    EXPECT_EQ(event(), (std::array{1, 2}));
    EXPECT_EQ(
        bench.send({packet_command::get_event_status_notification, 1, 0, 0, 0x02, 0, 0, 0, 8}).data,
        (Data{0, 2, 0x80, 0x10}))
        << "no events of that class";
    EXPECT_EQ(bench.send({packet_command::get_event_status_notification, 0, 0, 0, 0x10, 0, 0, 0, 8})
                  .error,
              checked(5))
        << "only by polling";
}

TEST(AtapiCdromTest, AMediumThatChangesInTheMiddleOfARead) {
    CdBench bench;
    bench.ready_for_commands();
    auto& port = *bench.port;
    port.command.write8(4, 0xfe);
    port.command.write8(5, 0xff);
    port.issue(ata_command::packet);
    port.write_block(read_10(0, 100));
    bench.image.change_medium(Data(10 * 2048, 0x77));
    while ((port.status() & ata_status::drq) != 0)
        (void)port.read_block(port.byte_count());
    EXPECT_EQ(port.error(), checked(6));
    EXPECT_EQ(bench.sense(), (Sense3{6, 0x28, 0}));
}

TEST(AtapiCdromTest, ModePagesAreReadAndSet) {
    CdBench bench;
    bench.ready_for_commands();
    const auto sense10 = [&](int page, int allocated = 255) {
        return bench.send({packet_command::mode_sense_10, 0, static_cast<std::uint8_t>(page), 0, 0,
                           0, 0, 0, static_cast<std::uint8_t>(allocated)});
    };
    const Data capabilities = sense10(0x2a).data;
    ASSERT_EQ(capabilities.size(), 28u);
    EXPECT_EQ(capabilities[1], 26);
    EXPECT_EQ(capabilities[8], 0x2a);
    EXPECT_EQ(capabilities[14] & 0x09, 0x09) << "locks and ejects";
    EXPECT_EQ(sense10(0x3f).data.size(), 8u + 8 + 8 + 16 + 12 + 20);
    EXPECT_EQ(bench.send({packet_command::mode_sense_6, 0, 0x01, 0, 64}).data,
              (Data{11, 0x01, 0, 0, 0x01, 6, 0, 5, 0, 0, 0, 0}));
    EXPECT_EQ(sense10(0xc1).error, checked(5));
    EXPECT_EQ(bench.sense(), (Sense3{5, 0x39, 0}));
    EXPECT_EQ(sense10(0x05).error, checked(5)) << "no write parameters";

    const Data parameters{0, 0, 0, 0, 0, 0, 0, 0, 0x01, 6, 0x20, 9, 0, 0, 0, 0};
    const Packet select{packet_command::mode_select_10, 0x10, 0, 0, 0, 0, 0, 0, 16};
    EXPECT_EQ(bench.send(select, 6, parameters).status, ready) << "in pieces of 6 bytes";
    EXPECT_EQ(sense10(0x01).data[11], 9);
    Data bad = parameters;
    bad[9] = 60;
    EXPECT_EQ(bench.send(select, 0xfffe, bad).error, checked(5));
    EXPECT_EQ(bench.sense(), (Sense3{5, 0x1a, 0}));
    bad = parameters;
    bad[8] = 0x05;
    EXPECT_EQ(bench.send(select, 0xfffe, bad).error, checked(5));
    EXPECT_EQ(bench.sense(), (Sense3{5, 0x26, 0}));
}

TEST(AtapiCdromTest, ConfigurationNamesTheCurrentProfile) {
    CdBench bench;
    const auto configuration = [&](int what, int from) {
        return bench
            .send({packet_command::get_configuration, static_cast<std::uint8_t>(what),
                   static_cast<std::uint8_t>(from >> 8), static_cast<std::uint8_t>(from), 0, 0, 0,
                   0, 255})
            .data;
    };
    const Data all = configuration(0, 0);
    EXPECT_EQ(all[7], 0x08);
    EXPECT_EQ(all[3], all.size() - 4);
    EXPECT_EQ(configuration(2, 0x1f), (Data{0, 0, 0, 8, 0, 0, 0, 8, 0, 0x1f, 0, 0}));
    EXPECT_LT(configuration(1, 0).size(), all.size()) << "only what holds now";
    bench.image.change_medium(std::nullopt);
    EXPECT_EQ(configuration(0, 0)[7], 0x00);
}

TEST(AtapiCdromTest, ManyBlocksMakeADvd) {
    CdBench bench;
    bench.image.change_medium(Data{});
    bench.image.bytes.resize(450'001ull * 2048);  // touched nowhere
    bench.ready_for_commands();
    const auto structure = [&](int format) {
        return bench
            .send({packet_command::read_dvd_structure, 0, 0, 0, 0, 0, 0,
                   static_cast<std::uint8_t>(format), 8, 4})
            .data;
    };
    EXPECT_EQ(bench.send({packet_command::get_configuration, 0, 0, 0, 0, 0, 0, 0, 8}).data[7],
              0x10);
    const Data physical = structure(0);
    ASSERT_EQ(physical.size(), 2052u);
    EXPECT_EQ((Data{physical.begin() + 8, physical.begin() + 16}),
              (Data{0, 3, 0, 0, 0, 0x09, 0xdd, 0xd0}));
    EXPECT_EQ(structure(1).size(), 8u);
    EXPECT_EQ(bench.send({packet_command::read_cd, 0, 0, 0, 0, 0, 0, 0, 1, 0x10}).error,
              checked(5));
}

TEST(AtapiCdromTest, OtherDescriptions) {
    CdBench bench;
    bench.ready_for_commands();
    const Data disc =
        bench.send({packet_command::read_disc_information, 0, 0, 0, 0, 0, 0, 0, 34}).data;
    ASSERT_EQ(disc.size(), 34u);
    EXPECT_EQ(disc[2], 0x0e);
    const Data track =
        bench.send({packet_command::read_track_information, 1, 0, 0, 0, 1, 0, 0, 36}).data;
    ASSERT_EQ(track.size(), 36u);
    EXPECT_EQ(track[26], 1);
    EXPECT_EQ(track[27], 0x90);
    (void)bench.send(read_10(123, 1));
    const Data place =
        bench.send({packet_command::read_sub_channel, 0, 0x40, 1, 0, 0, 0, 0, 16}).data;
    EXPECT_EQ(place[11], 123);
    EXPECT_EQ(bench.send({0x44}).error, checked(5));
    EXPECT_EQ(bench.sense(), (Sense3{5, 0x20, 0}));
}

TEST(AtapiCdromTest, DeviceResetEndsWhatItIsDoing) {
    CdBench bench;
    bench.ready_for_commands();
    auto& port = *bench.port;
    bench.image.holds = true;
    port.command.write8(4, 0);
    port.command.write8(5, 8);
    port.issue(ata_command::packet);
    port.write_block(read_10(0, 1));
    EXPECT_EQ(port.status(), ata_status::bsy);
    port.issue(ata_command::device_reset);
    EXPECT_EQ(port.status(), 0);
    EXPECT_EQ(port.lba24(), packet_signature);
    EXPECT_FALSE(port.irq());
    bench.image.holds = false;
    EXPECT_EQ(bench.send(read_10(0, 1)).status, ready);
}

}  // namespace
}  // namespace backplane::storage
