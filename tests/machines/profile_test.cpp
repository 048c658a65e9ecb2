// A boot of Linux, profiled: the same samples in either engine, and as many in each place as
// instructions were executed there.
#include "profile/recording_reader.h"
#include "support/guest_session.h"
#include "support/temp_path.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iostream>
#include <map>
#include <tuple>

namespace backplane::test {
namespace {

profile::Recording boot(const std::string& engine, std::vector<std::string> more) {
    const std::string file = temp_path(engine + ".data");
    more.insert(more.end(), {"-p", "cpu0.type=" + engine, "-p", "machine.clock=deterministic",
                             "--serial", "none", "--profile", file, "-p",
                             "profiler.instructions=100000", "-p", "profiler.callers=200"});
    GuestSession session{"linux-serial", linux_guest("backplane_run=\"seq 1000 | md5sum\"", more),
                         Input::Null};
    EXPECT_EQ(session.exit_code(std::chrono::seconds{300}), 0) << session.unread();
    auto recording = profile::read_recording(file);
    EXPECT_TRUE(recording) << recording.error();
    std::filesystem::remove(file);
    return recording ? *std::move(recording) : profile::Recording{};
}

// By pieces of 256 bytes of the guest's address space; blocks may be in several.
constexpr std::uint64_t piece = 256;
using Shares = std::map<std::uint64_t, double>;

Shares shares_of_counts(const profile::Recording& recording) {
    Shares shares;
    for (const profile::BlockCount& block : recording.blocks) {
        const std::uint64_t end = block.pc + std::max(block.bytes, 1u);
        for (std::uint64_t at = block.pc; at < end;) {
            const std::uint64_t until = std::min(end, at / piece * piece + piece);
            shares[at / piece] += static_cast<double>(block.instructions) *
                                  static_cast<double>(until - at) /
                                  static_cast<double>(end - block.pc);
            at = until;
        }
    }
    return shares;
}

double total_variation_distance(Shares a, Shares b) {
    const auto make_whole = [](Shares& shares) {
        double sum = 0;
        for (const auto& [place, share] : shares)
            sum += share;
        for (auto& [place, share] : shares)
            share /= sum;
    };
    make_whole(a);
    make_whole(b);
    double distance = 0;
    for (const auto& [place, share] : a)
        distance += std::abs(share - (b.contains(place) ? b.at(place) : 0));
    for (const auto& [place, share] : b)
        if (!a.contains(place)) distance += share;
    return distance / 2;
}

TEST(Profile, OfALinuxBootIsTheSameInBothEnginesAndTrue) {
    const profile::Recording interpreted = boot("cpu.interp", {"-p", "profiler.count-blocks=true"});
    const profile::Recording compiled = boot("cpu.llvmjit", {});
    ASSERT_GT(interpreted.samples.size(), 10'000u);
    ASSERT_EQ(interpreted.samples.size(), compiled.samples.size());
    std::size_t with_callers = 0;
    for (std::size_t i = 0; i < interpreted.samples.size(); ++i) {
        const profile::Sample &a = interpreted.samples[i], &b = compiled.samples[i];
        ASSERT_EQ(std::tie(a.pc, a.instructions, a.guest_time, a.address_space, a.stack_pointer,
                           a.privilege, a.callers),
                  std::tie(b.pc, b.instructions, b.guest_time, b.address_space, b.stack_pointer,
                           b.privilege, b.callers))
            << i;
        with_callers += !a.callers.empty();
    }
    EXPECT_GT(with_callers, interpreted.samples.size() / 2);

    Shares sampled;
    for (const profile::Sample& sample : interpreted.samples)
        sampled[sample.pc / piece] += 1;
    const double distance = total_variation_distance(shares_of_counts(interpreted), sampled);
    std::cout << "total variation distance of " << interpreted.samples.size()
              << " samples from exact counts: " << distance << '\n';
    EXPECT_LT(distance, 0.08);
}

}  // namespace
}  // namespace backplane::test
