// The commands of the NVMe controller's namespaces, and where their data may be.
#include "nvme_bench.h"

#include <random>

namespace backplane::storage::nvme {
namespace {

constexpr std::uint64_t data = NvmeBench::data;
constexpr std::uint64_t list = 0x20000;

// Data at an offset into pages that lie anywhere, as a PRP list says. Gives PRP 2.
std::uint64_t put_list(NvmeBench& bench, const std::vector<std::uint64_t>& pages, std::uint64_t at,
                       std::uint64_t page_size = 4096) {
    const std::uint64_t first = at;
    for (std::size_t index = 0; index < pages.size(); ++index) {
        const bool is_last_of_page = (at + 8) % page_size == 0;
        if (is_last_of_page && index + 1 < pages.size()) {
            const std::uint64_t next = (at + 8) - page_size + 0x2000;
            bench.poke(at, next);
            at = next;
        }
        bench.poke(at, pages[index]);
        at += 8;
    }
    return first;
}

TEST(NvmeIoTest, ReadsAndWritesWithOnePrp) {
    ReadyBench bench;
    EXPECT_EQ(bench.call_io(io(IoOpcode::Read, 40, 8, data)).status, Status::Success);
    EXPECT_EQ(slice(bench.memory(), data, 4096), slice(bench.bytes(), 40 * 512, 4096));
    EXPECT_EQ(bench.call_io(io(IoOpcode::Read, 40, 1, data + 0xe04)).status, Status::Success);
    EXPECT_EQ(slice(bench.memory(), data + 0xe04, 508), slice(bench.bytes(), 40 * 512, 508));
    EXPECT_EQ(bench.call_io(io(IoOpcode::Write, 8191, 1, data)).status, Status::Success);
    EXPECT_EQ(slice(bench.bytes(), 8191 * 512, 512), slice(bench.memory(), data, 512));
}

TEST(NvmeIoTest, ReadsIntoTwoPages) {
    ReadyBench bench;
    EXPECT_EQ(bench.call_io(io(IoOpcode::Read, 1, 8, data + 0x804, 0x60000)).status,
              Status::Success);
    EXPECT_EQ(slice(bench.memory(), data + 0x804, 0x7fc), slice(bench.bytes(), 512, 0x7fc));
    EXPECT_EQ(slice(bench.memory(), 0x60000, 0x804), slice(bench.bytes(), 512 + 0x7fc, 0x804));
}

// Against a copy made byte by byte, with pages, offsets, lists and sizes of all kinds.
TEST(NvmeIoTest, FollowsPrpListsOfAnyShape) {
    std::minstd_rand random{1};
    for (const unsigned page_shift : {12u, 13u}) {
        NvmeBench bench;
        const std::uint64_t page_size = 1u << page_shift;
        bench.enable(16, NvmeBench::cc_enabled | (page_shift - 12) << 7);
        bench.add_queue();
        for (int round = 0; round < 60; ++round) {
            const std::uint32_t blocks = 1 + random() % 512;
            const std::uint64_t offset = random() % page_size & ~std::uint64_t{3};
            const std::uint64_t slba = random() % (8192 - blocks);
            const std::uint64_t length = blocks * 512;
            const std::uint64_t count = (offset + length + page_size - 1) / page_size;
            std::vector<std::uint64_t> pages;
            for (std::uint64_t index = 0; index < count; ++index)
                pages.push_back(data + index * 2 % 91 * page_size);
            std::shuffle(pages.begin(), pages.end(), random);
            // Only as many as there are different ones.
            if (count > 45) continue;
            std::uint64_t prp2 = count > 1 ? pages[1] : 0;
            if (count > 2)
                prp2 = put_list(bench, {pages.begin() + 1, pages.end()},
                                list + page_size - 8 * (1 + random() % 20), page_size);
            const auto place = [&](std::uint64_t at) -> std::uint8_t& {
                return bench.memory()[pages[(offset + at) / page_size] + (offset + at) % page_size];
            };
            const bool writes = round % 2 != 0;
            for (std::uint64_t at = 0; writes && at < length; ++at)
                place(at) = static_cast<std::uint8_t>(random());
            const auto opcode = writes ? IoOpcode::Write : IoOpcode::Read;
            ASSERT_EQ(bench.call_io(io(opcode, slba, blocks, pages[0] + offset, prp2)).status,
                      Status::Success);
            for (std::uint64_t at = 0; at < length; ++at)
                ASSERT_EQ(place(at), bench.bytes()[slba * 512 + at]) << round << " " << at;
        }
    }
}

TEST(NvmeIoTest, RefusesPrpsWithWrongOffsets) {
    ReadyBench bench;
    const auto status = [&](std::uint32_t blocks, std::uint64_t prp1, std::uint64_t prp2) {
        return bench.call_io(io(IoOpcode::Read, 0, blocks, prp1, prp2)).status;
    };
    EXPECT_EQ(status(1, data + 2, 0), Status::PrpOffsetInvalid);
    EXPECT_EQ(status(16, data, data + 0x1004), Status::PrpOffsetInvalid);
    EXPECT_EQ(status(32, data, list + 4), Status::PrpOffsetInvalid);
    put_list(bench, {data + 0x1000, data + 0x2008, data + 0x3000}, list);
    EXPECT_EQ(status(32, data, list), Status::PrpOffsetInvalid);
    put_list(bench, {data + 0x1000, data + 0x2000, data + 0x3000}, list);
    EXPECT_EQ(status(32, data, list), Status::Success);
    bench.poke(list + 0xff8, std::uint64_t{list + 0x1008});
    EXPECT_EQ(status(32, data, list + 0xff8), Status::PrpOffsetInvalid) << "a chain's offset";
    EXPECT_EQ(bench.image[0]->requests.size(), 1u);
}

// ---- SGLs ----

struct SglDescriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint8_t type;
};

void set_sgl(Command& command, const SglDescriptor& descriptor, unsigned psdt = 1) {
    command.dwords[0] |= psdt << 14;
    command.dwords[6] = static_cast<std::uint32_t>(descriptor.address);
    command.dwords[7] = static_cast<std::uint32_t>(descriptor.address >> 32);
    command.dwords[8] = descriptor.length;
    command.dwords[9] = std::uint32_t{descriptor.type} << 24;
}

SglDescriptor put_segment(NvmeBench& bench, std::uint64_t at,
                          const std::vector<SglDescriptor>& descriptors, std::uint8_t type) {
    for (std::size_t index = 0; index < descriptors.size(); ++index) {
        const auto& each = descriptors[index];
        bench.poke(at + index * 16, each.address);
        bench.poke(at + index * 16 + 8,
                   std::uint64_t{each.length} | std::uint64_t{each.type} << 56);
    }
    return {at, static_cast<std::uint32_t>(descriptors.size() * 16), type};
}

constexpr std::uint8_t block = 0x00, bucket = 0x10, segment = 0x20, last = 0x30;

TEST(NvmeIoTest, ReadsByAScatterGatherList) {
    ReadyBench bench;
    Command command = io(IoOpcode::Read, 16, 4);
    set_sgl(command, {data + 1, 2048, block});
    EXPECT_EQ(bench.call_io(command).status, Status::Success) << "any alignment";
    EXPECT_EQ(slice(bench.memory(), data + 1, 2048), slice(bench.bytes(), 16 * 512, 2048));

    // Two segments with blocks of odd sizes, a bucket in the middle, more than is needed at the
    // end.
    const auto end = put_segment(bench, list + 0x1000,
                                 {{data + 0x3000, 49, block}, {data + 0x4000, 9999, block}}, last);
    Command chained = io(IoOpcode::Read, 16, 4);
    set_sgl(chained,
            put_segment(bench, list,
                        {{data + 0x2003, 333, block}, {0, 1000, bucket}, {7, 0, block}, end},
                        segment));
    EXPECT_EQ(bench.call_io(chained).status, Status::Success);
    const Data expected = slice(bench.bytes(), 16 * 512, 2048);
    EXPECT_EQ(slice(bench.memory(), data + 0x2003, 333), slice(expected, 0, 333));
    EXPECT_EQ(slice(bench.memory(), data + 0x3000, 49), slice(expected, 1333, 49));
    EXPECT_EQ(slice(bench.memory(), data + 0x4000, 666), slice(expected, 1382, 666));
}

TEST(NvmeIoTest, WritesByAScatterGatherListOfManyPieces) {
    ReadyBench bench;
    std::vector<SglDescriptor> pieces;
    Data expected;
    for (std::uint32_t index = 0; index < 1024; ++index) {
        const std::uint64_t at = data + index * 37 % 5000;
        pieces.push_back({at, 4, block});
        pieces.push_back({0, 100, bucket});  // counts as nothing
        for (std::uint64_t byte = at; byte < at + 4; ++byte) {
            bench.memory()[byte] = static_cast<std::uint8_t>(byte * 11);
            expected.push_back(static_cast<std::uint8_t>(byte * 11));
        }
    }
    Command command = io(IoOpcode::Write, 100, 8);
    set_sgl(command, put_segment(bench, 0x10000, pieces, last), 2);
    EXPECT_EQ(bench.call_io(command).status, Status::Success);
    EXPECT_EQ(slice(bench.bytes(), 100 * 512, 4096), expected);
}

TEST(NvmeIoTest, RefusesListsThatAreWrong) {
    ReadyBench bench;
    const auto status = [&](const SglDescriptor& first) {
        Command command = io(IoOpcode::Read, 0, 2);
        set_sgl(command, first);
        return bench.call_io(command).status;
    };
    const auto of = [&](const std::vector<SglDescriptor>& descriptors, std::uint8_t type) {
        return status(put_segment(bench, list, descriptors, type));
    };
    EXPECT_EQ(status({data, 1023, block}), Status::DataSglLengthInvalid);
    EXPECT_EQ(status({data, 1024, 0x01}), Status::SglDescriptorTypeInvalid) << "a sub type";
    EXPECT_EQ(status({data, 1024, 0x40}), Status::SglDescriptorTypeInvalid) << "keyed";
    EXPECT_EQ(status({list, 0, segment}), Status::InvalidSglSegmentDescriptor);
    EXPECT_EQ(status({list, 24, segment}), Status::InvalidSglSegmentDescriptor);
    EXPECT_EQ(status({list + 4, 32, last}), Status::InvalidSglSegmentDescriptor);
    EXPECT_EQ(of({{data, 512, block}}, last), Status::DataSglLengthInvalid);
    EXPECT_EQ(of({{data, 512, block}, {data, 512, block}}, segment),
              Status::InvalidSglSegmentDescriptor)
        << "leads nowhere";
    EXPECT_EQ(of({{list, 16, last}, {data, 512, block}}, segment),
              Status::InvalidSglSegmentDescriptor);
    EXPECT_EQ(of({{data, 512, block}, {list, 16, segment}}, last),
              Status::InvalidSglSegmentDescriptor);
    EXPECT_EQ(of({{data, 0, block}, {list, 32, segment}}, segment),
              Status::InvalidNumberOfSglDescriptors)
        << "round and round";
    EXPECT_TRUE(bench.image[0]->requests.empty());
    Command reserved = io(IoOpcode::Read, 0, 2, data);
    reserved.dwords[0] |= 3u << 14;
    EXPECT_EQ(bench.call_io(reserved).status, Status::InvalidField);
}

// ---- Commands ----

TEST(NvmeIoTest, RefusesWhatIsNotThere) {
    NvmeBench bench{{}, 2};
    bench.enable();
    bench.add_queue();
    const auto status = [&](const Command& command) { return bench.call_io(command).status; };
    EXPECT_EQ(status(io(IoOpcode::Read, 8192, 1, data)), Status::LbaOutOfRange);
    EXPECT_EQ(status(io(IoOpcode::Read, 8191, 2, data)), Status::LbaOutOfRange);
    EXPECT_EQ(status(io(IoOpcode::Read, ~0ull, 2, data)), Status::LbaOutOfRange);
    EXPECT_EQ(status(io(IoOpcode::Read, 0, 1025, data)), Status::InvalidField) << "MDTS";
    EXPECT_EQ(status(io(IoOpcode::Read, 0, 1, data, 0, 0)), Status::InvalidNamespace);
    EXPECT_EQ(status(io(IoOpcode::Read, 0, 1, data, 0, 3)), Status::InvalidNamespace);
    EXPECT_EQ(status(io(IoOpcode::Read, 0, 1, data, 0, all_namespaces)), Status::InvalidNamespace);
    EXPECT_EQ(status(io(IoOpcode{0x04}, 0, 1)), Status::InvalidOpcode);
    Command fused = io(IoOpcode::Compare, 0, 1, data);
    fused.dwords[0] |= 1 << 8;
    EXPECT_EQ(status(fused), Status::InvalidField);
    bench.image[1]->change_medium(std::nullopt);
    EXPECT_EQ(status(io(IoOpcode::Read, 0, 1, data, 0, 2)), Status::InvalidField);
    for (const auto& image : bench.image)
        EXPECT_TRUE(image->requests.empty());
}

TEST(NvmeIoTest, EachNamespaceHasItsImage) {
    NvmeBench bench{{}, 2};
    bench.enable();
    bench.add_queue();
    bench.bytes(1).assign(bench.bytes(1).size(), 0x5a);
    EXPECT_EQ(bench.call_io(io(IoOpcode::Read, 7, 1, data, 0, 2)).status, Status::Success);
    EXPECT_EQ(slice(bench.memory(), data, 512), Data(512, 0x5a));
    EXPECT_TRUE(bench.image[0]->requests.empty());
}

TEST(NvmeIoTest, FlushesOneNamespaceOrAll) {
    NvmeBench bench{{}, 3};
    bench.enable();
    bench.add_queue();
    EXPECT_EQ(bench.call_io(io(IoOpcode::Flush, 0, 1, 0, 0, 2)).status, Status::Success);
    EXPECT_EQ(bench.image[1]->requests.size(), 1u);
    EXPECT_TRUE(bench.image[0]->requests.empty());
    bench.image[1]->change_medium(std::nullopt);
    EXPECT_EQ(bench.call_io(io(IoOpcode::Flush, 0, 1, 0, 0, all_namespaces)).status,
              Status::Success);
    EXPECT_EQ(bench.image[0]->requests.size(), 1u);
    EXPECT_EQ(bench.image[1]->requests.size(), 1u);
    EXPECT_EQ(bench.image[2]->requests.size(), 1u);
}

TEST(NvmeIoTest, ForcesUnitAccess) {
    ReadyBench bench;
    Command command = io(IoOpcode::Write, 3, 1, data);
    command.dwords[12] |= 1u << 30;
    EXPECT_EQ(bench.call_io(command).status, Status::Success);
    EXPECT_EQ(bench.call_io(io(IoOpcode::Write, 3, 1, data)).status, Status::Success);
    EXPECT_EQ(bench.image[0]->requests,
              (std::vector<FakeBlock::Request>{
                  {BACKPLANE_BLOCK_WRITE, BACKPLANE_BLOCK_FORCE_ACCESS, 3 * 512, 512},
                  {BACKPLANE_BLOCK_WRITE, 0, 3 * 512, 512}}));
}

TEST(NvmeIoTest, Compares) {
    ReadyBench bench;
    EXPECT_EQ(bench.call_io(io(IoOpcode::Read, 64, 16, data, data + 0x1000)).status,
              Status::Success);
    EXPECT_EQ(bench.call_io(io(IoOpcode::Compare, 64, 16, data, data + 0x1000)).status,
              Status::Success);
    bench.memory()[data + 0x1fff] ^= 1;
    EXPECT_EQ(bench.call_io(io(IoOpcode::Compare, 64, 16, data, data + 0x1000)).status,
              Status::CompareFailure);
}

TEST(NvmeIoTest, WritesZeroes) {
    ReadyBench bench;
    Command command = io(IoOpcode::WriteZeroes, 100, 2000);
    EXPECT_EQ(bench.call_io(command).status, Status::Success);
    EXPECT_EQ(slice(bench.bytes(), 100 * 512, 2000 * 512), Data(2000 * 512));
    EXPECT_NE(bench.bytes()[99 * 512 + 1], 0);
    command.dwords[12] |= 1u << 25;
    EXPECT_EQ(bench.call_io(command).status, Status::Success);
    EXPECT_EQ(bench.image[0]->requests.back().flags, BACKPLANE_BLOCK_MAY_DISCARD);
}

TEST(NvmeIoTest, VerifiesInParts) {
    ReadyBench bench;
    EXPECT_EQ(bench.call_io(io(IoOpcode::Verify, 0, 1100)).status, Status::Success);
    std::uint64_t read = 0;
    for (const auto& request : bench.image[0]->requests)
        read += request.length;
    EXPECT_EQ(read, 1100u * 512);
    EXPECT_EQ(bench.image[0]->requests.size(), 3u);
    bench.image[0]->bad = {1050 * 512, 1050 * 512 + 1};
    EXPECT_EQ(bench.call_io(io(IoOpcode::Verify, 0, 1100)).status, Status::UnrecoveredReadError);
}

TEST(NvmeIoTest, Deallocates) {
    ReadyBench bench;
    const auto put_range = [&](std::size_t index, std::uint64_t first, std::uint32_t count) {
        bench.poke(data + index * 16 + 4, count);
        bench.poke(data + index * 16 + 8, first);
    };
    put_range(0, 100, 3);
    put_range(1, 0, 0);
    put_range(2, 8191, 1);
    Command command = io(IoOpcode::DatasetManagement, 0, 1, data);
    command.dwords[10] = 2;
    command.dwords[11] = 4;
    EXPECT_EQ(bench.call_io(command).status, Status::Success);
    const std::vector<FakeBlock::Request> expected{{BACKPLANE_BLOCK_DISCARD, 0, 100 * 512, 3 * 512},
                                                   {BACKPLANE_BLOCK_DISCARD, 0, 8191 * 512, 512}};
    EXPECT_EQ(bench.image[0]->requests, expected);
    command.dwords[11] = 3;
    EXPECT_EQ(bench.call_io(command).status, Status::Success) << "hints";
    command.dwords[11] = 4;
    put_range(2, 8191, 2);
    EXPECT_EQ(bench.call_io(command).status, Status::LbaOutOfRange);
    EXPECT_EQ(bench.image[0]->requests, expected);
}

TEST(NvmeIoTest, TellsOfErrors) {
    ReadyBench bench;
    bench.image[0]->bad = {0, 512};
    const auto status = [&](IoOpcode opcode, std::int32_t failure) {
        bench.image[0]->failure = failure;
        return bench.call_io(io(opcode, 0, 1, data)).status;
    };
    EXPECT_EQ(status(IoOpcode::Read, BACKPLANE_BLOCK_FAILED), Status::UnrecoveredReadError);
    EXPECT_EQ(status(IoOpcode::Compare, BACKPLANE_BLOCK_FAILED), Status::UnrecoveredReadError);
    EXPECT_EQ(status(IoOpcode::Write, BACKPLANE_BLOCK_FAILED), Status::WriteFault);
    EXPECT_EQ(status(IoOpcode::WriteZeroes, BACKPLANE_BLOCK_NO_SPACE), Status::CapacityExceeded);
    EXPECT_EQ(status(IoOpcode::Write, BACKPLANE_BLOCK_READ_ONLY),
              Status::NamespaceIsWriteProtected);
    bench.image[0]->is_read_only = true;
    bench.image[0]->resize(1 << 20);
    EXPECT_EQ(status(IoOpcode::Write, BACKPLANE_BLOCK_FAILED), Status::NamespaceIsWriteProtected);
}

TEST(NvmeIoTest, AnswersInTheOrderInWhichImagesDo) {
    NvmeBench bench{{}, 2};
    bench.enable();
    bench.add_queue();
    bench.image[0]->holds = true;
    const std::uint16_t first = bench.submit(io(IoOpcode::Read, 0, 1, data, 0, 1));
    const std::uint16_t second = bench.submit(io(IoOpcode::Read, 0, 1, data, 0, 2));
    EXPECT_EQ(bench.controller.statistic("in-flight"), 1u);
    auto answers = bench.reap();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].id, second);
    bench.image[0]->finish_one();
    answers = bench.reap();
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(answers[0].id, first);
}

TEST(NvmeIoTest, TakesItsAccessTime) {
    ReadyBench bench{{{"access-time", std::chrono::microseconds{80}}}};
    bench.submit(io(IoOpcode::Read, 0, 1, data));
    bench.clock.advance(std::chrono::microseconds{40});
    bench.submit(io(IoOpcode::Flush));
    bench.clock.advance(std::chrono::microseconds{39});
    EXPECT_TRUE(bench.reap().empty());
    bench.clock.advance(std::chrono::microseconds{1});
    EXPECT_EQ(bench.reap().size(), 1u);
    bench.clock.advance(std::chrono::microseconds{39});
    EXPECT_TRUE(bench.reap().empty());
    bench.clock.advance(std::chrono::microseconds{1});
    EXPECT_EQ(bench.reap().size(), 1u);
}

// Where there is no memory: reads as all ones, and takes nothing.
TEST(NvmeIoTest, DataMayBeAnywhere) {
    ReadyBench bench;
    const std::uint64_t end = bench.memory().size();
    EXPECT_EQ(bench.call_io(io(IoOpcode::Read, 0, 16, end - 0x1000, end)).status, Status::Success);
    EXPECT_EQ(slice(bench.memory(), end - 0x1000, 0x1000), slice(bench.bytes(), 0, 0x1000));
    EXPECT_EQ(bench.call_io(io(IoOpcode::Write, 0, 1, 0xffff'ffff'ffff'fe00)).status,
              Status::Success);
    EXPECT_EQ(slice(bench.bytes(), 0, 512), Data(512, 0xff));
}

}  // namespace
}  // namespace backplane::storage::nvme
