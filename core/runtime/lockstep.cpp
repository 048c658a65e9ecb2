#include "runtime/lockstep.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstring>
#include <expected>
#include <span>

namespace backplane::runtime {

namespace {

// More of them help nobody: what follows a wrong value is wrong too.
constexpr std::size_t most_differences = 40;

struct Value {
    std::string name;
    std::vector<std::byte> bytes;
};

// Registers of the CPUs and saved state of everything else, in the same order for equal machines.
std::vector<Value> values_of(const Machine& machine) {
    std::vector<Value> values;
    for (const auto& cpu : machine.cpus())
        for (const auto& [name, bytes, group] : cpu->registers())
            values.push_back({cpu->component().name() + "." + name, bytes});
    for (const auto& component : machine.components()) {
        if (is_cpu(component->type())) continue;
        const auto saved = component->save();
        const backplane_device_type& type = component->type();
        std::size_t at = 0;
        for (std::uint32_t field = 0; field < type.state_count; ++field) {
            const backplane_state_field& declared = type.state[field];
            for (std::uint32_t i = 0; i < declared.count; ++i, at += declared.element_size) {
                const std::string index = declared.count == 1 ? "" : fmt::format("[{}]", i);
                const auto from = saved.begin() + static_cast<std::ptrdiff_t>(at);
                values.push_back(
                    {fmt::format("{}.{}{}", component->name(), declared.name, index),
                     {from, from + static_cast<std::ptrdiff_t>(declared.element_size)}});
            }
        }
    }
    return values;
}

// The same values without their names, of which there may be a hundred thousand.
bool have_equal_values(const Machine& first, const Machine& second) {
    const auto bytes_of = &VirtualCpu::RegisterValue::bytes;
    const bool cpus_are_equal = std::ranges::equal(
        first.cpus(), second.cpus(), [&](const auto& a, const auto& b) {
            return std::ranges::equal(a->registers(), b->registers(), {}, bytes_of, bytes_of);
        });
    return cpus_are_equal &&
           std::ranges::equal(
               first.components(), second.components(), [](const auto& a, const auto& b) {
                   return is_cpu(a->type()) ? is_cpu(b->type()) : a->save() == b->save();
               });
}

// As a number: the last byte first.
std::string to_text(std::span<const std::byte> bytes) {
    std::string text = "0x";
    for (std::size_t i = bytes.size(); i-- > 0;)
        text += fmt::format("{:02x}", static_cast<unsigned>(bytes[i]));
    return text;
}

std::string to_text(const std::optional<Ending>& ending) {
    return ending ? fmt::format("{} (code {})", ending->why, ending->exit_code) : "still running";
}

void compare_memory(const Component& first, const Component& second,
                    std::vector<Difference>& differences) {
    constexpr std::size_t chunk = 8;
    std::size_t block = 0;
    for (auto a = first.memory().begin(), b = second.memory().begin();
         a != first.memory().end() && b != second.memory().end(); ++a, ++b, ++block) {
        const std::span<std::byte> x = a->bytes(), y = b->bytes();
        const std::size_t size = std::min(x.size(), y.size());
        for (std::size_t page = 0; page < size; page += dirty_page_size) {
            const std::size_t end = std::min<std::size_t>(page + dirty_page_size, size);
            if (std::memcmp(&x[page], &y[page], end - page) == 0) continue;
            for (std::size_t at = page; at < end; at += chunk) {
                const std::size_t length = std::min(chunk, end - at);
                if (std::memcmp(&x[at], &y[at], length) == 0) continue;
                if (differences.size() == most_differences) return;
                const std::string name = block == 0 ? first.name()
                                                    : fmt::format("{}[{}]", first.name(), block);
                differences.push_back({.what = fmt::format("{}+{:#x}", name, at),
                                       .before = {},
                                       .first = to_text(x.subspan(at, length)),
                                       .second = to_text(y.subspan(at, length))});
            }
        }
    }
}

enum class Memory : std::uint8_t { Skip, Compare };

std::vector<Difference> compare(const Machine& first, const Machine& second, Memory memory) {
    std::vector<Difference> differences;
    if (!have_equal_values(first, second)) {
        const auto a = values_of(first), b = values_of(second);
        for (std::size_t i = 0; i < a.size() && differences.size() < most_differences; ++i)
            if (a[i].bytes != b[i].bytes)
                differences.push_back({.what = a[i].name,
                                       .before = {},
                                       .first = to_text(a[i].bytes),
                                       .second = to_text(b[i].bytes)});
    }
    if (memory == Memory::Skip) return differences;
    for (std::size_t i = 0; i < first.components().size(); ++i)
        compare_memory(*first.components()[i], *second.components()[i], differences);
    return differences;
}

// Empty: their values correspond one to one.
std::string why_incomparable(const Machine& first, const Machine& second) {
    for (const Machine* machine : {&first, &second})
        if (!machine->is_deterministic())
            return "the clock of the machine must be deterministic (-p "
                   "machine.clock=deterministic)";
    const auto a = values_of(first), b = values_of(second);
    const auto& [x, y] = std::ranges::mismatch(a, b, {}, &Value::name, &Value::name);
    if (x == a.end() && y == b.end()) return {};
    return fmt::format("the machines do not have the same registers and state: {} against {}",
                       x == a.end() ? "nothing" : x->name, y == b.end() ? "nothing" : y->name);
}

}  // namespace

Lockstep::Lockstep(Make first, Make second, LockstepOptions options)
    : make_first_{std::move(first)}, make_second_{std::move(second)}, options_{std::move(options)} {
}

Lockstep::Pair Lockstep::make() const { return {make_first_(), make_second_(), {}, {}}; }

void Lockstep::advance(Pair& pair, std::uint64_t position) const {
    if (!pair.first_ending) pair.first_ending = pair.first->advance(position);
    if (!pair.second_ending) pair.second_ending = pair.second->advance(position);
}

std::expected<LockstepResult, std::string> Lockstep::run() {
    Pair pair = make();
    if (!pair.first || !pair.second) return std::unexpected("a machine could not be made");
    if (auto why = why_incomparable(*pair.first, *pair.second); !why.empty())
        return std::unexpected(std::move(why));

    LockstepResult result;
    std::uint64_t memory_equal_until = 0;
    for (std::uint64_t target = 0;;) {
        target = std::min(target + options_.interval, options_.limit);
        advance(pair, target);
        const bool over = pair.first_ending || pair.second_ending || target == options_.limit;
        const bool with_memory = over || target - memory_equal_until >= options_.memory_interval;
        result.differences = compare(*pair.first, *pair.second,
                                     with_memory ? Memory::Compare : Memory::Skip);
        const std::string first = to_text(pair.first_ending), second = to_text(pair.second_ending);
        if (first != second)
            result.differences.push_back(
                {.what = "the ending", .before = {}, .first = first, .second = second});
        ++result.comparisons;
        result.compared_until = target;
        if (!result.equal()) break;
        result.equal_until = target;
        if (with_memory) memory_equal_until = target;
        result.ending = pair.first_ending;
        if (options_.progress) options_.progress(target);
        if (over) return result;
    }
    pair = {};
    // What memory alone shows may have happened since it was compared last.
    result.equal_until = memory_equal_until;
    for (std::uint64_t step = options_.interval; narrow(result, step) && step > 1;)
        step = std::max<std::uint64_t>(step / 100, 1);
    return result;
}

// Looks again at where the machines parted, in steps of so many instructions. False: they did not.
bool Lockstep::narrow(LockstepResult& result, std::uint64_t step) {
    Pair pair = make();
    if (!pair.first || !pair.second) return false;
    // In the same steps as before: where a run is interrupted decides how several CPUs interleave.
    for (std::uint64_t at = options_.interval; at < result.equal_until; at += options_.interval)
        advance(pair, at);
    advance(pair, result.equal_until);

    std::uint64_t equal_until = result.equal_until;
    for (std::uint64_t target = equal_until; target < result.compared_until;) {
        const auto before = values_of(*pair.first);
        std::vector<std::string> next;
        for (const auto& cpu : pair.first->cpus())
            next.push_back(cpu->component().name() + " " + cpu->next_instruction());

        target = std::min(target + step, result.compared_until);
        advance(pair, target);
        auto differences = compare(*pair.first, *pair.second, Memory::Compare);
        const std::string first = to_text(pair.first_ending), second = to_text(pair.second_ending);
        if (first != second)
            differences.push_back(
                {.what = "the ending", .before = {}, .first = first, .second = second});
        if (differences.empty()) {
            equal_until = target;
            continue;
        }
        for (Difference& difference : differences) {
            const auto found = std::ranges::find(before, difference.what, &Value::name);
            if (found != before.end()) difference.before = to_text(found->bytes);
        }
        result.equal_until = equal_until;
        result.compared_until = target;
        result.differences = std::move(differences);
        result.next_instructions = std::move(next);
        return true;
    }
    return false;
}

std::string LockstepResult::text() const {
    if (equal())
        return fmt::format("no difference in {} instructions ({} comparisons); {}\n", equal_until,
                           comparisons, to_text(ending));
    std::string text = fmt::format("equal until instruction {}, different at {}\n", equal_until,
                                   compared_until);
    for (const std::string& line : next_instructions)
        text += fmt::format("  {}\n", line);
    for (const Difference& difference : differences)
        text += fmt::format("{:>24}  {}{}{} | {}\n", difference.what, difference.before,
                            difference.before.empty() ? "" : " -> ", difference.first,
                            difference.second);
    if (differences.size() >= most_differences) text += "  and more\n";
    return text;
}

nlohmann::ordered_json LockstepResult::json() const {
    auto list = nlohmann::ordered_json::array();
    for (const Difference& difference : differences)
        list.push_back({{"what", difference.what},
                        {"before", difference.before},
                        {"first", difference.first},
                        {"second", difference.second}});
    nlohmann::ordered_json json{{"equal", equal()},
                                {"equal_until", equal_until},
                                {"compared_until", compared_until},
                                {"comparisons", comparisons},
                                {"differences", std::move(list)},
                                {"next_instructions", next_instructions}};
    if (ending) json["ending"] = {{"exit_code", ending->exit_code}, {"why", ending->why}};
    return json;
}

}  // namespace backplane::runtime
