// Bytes as a machine file, its include and command line, through reading, checking and explaining.
// clang++ -fsanitize=fuzzer,address,undefined; the parts of the input are separated by a byte 0xff.
#include "core/small_catalog.h"
#include "runtime/explain.h"
#include "runtime/machine_check.h"

#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace {

using namespace backplane::runtime;

// The bytes up to the next separator, which is not part of any UTF-8 text.
std::string take_part(std::string_view& input) {
    const auto end = input.find('\xff');
    const std::string part{input.substr(0, end)};
    input.remove_prefix(end == input.npos ? input.size() : end + 1);
    return part;
}

void check(std::string_view input) {
    const std::string main = take_part(input), included = take_part(input);
    std::vector<Override> overrides;
    while (!input.empty() && overrides.size() < 8)
        overrides.push_back(Override::assignment(take_part(input)));
    const FileReader reader =
        [&](const std::filesystem::path& file) -> std::expected<std::string, std::string> {
        if (file.filename() == "main.yaml") return main;
        if (file.filename() == "a.yaml") return included;
        return std::unexpected{"no such file"};
    };
    static const backplane::test::SmallCatalog types;
    Diagnostics diagnostics;
    const MachineDocument document = read_machine_file("main.yaml", overrides, diagnostics, reader);
    const auto machine = check_machine(document, types, diagnostics);
    if (machine.has_value() == diagnostics.has_errors()) {
        if (machine || document.complete) __builtin_trap();
    }
    if (!machine && !diagnostics.has_errors()) __builtin_trap();  // refused without a reason
    (void)diagnostics.text();
    (void)diagnostics.json().dump();  // throws when something in it is not UTF-8
    if (machine) (void)explain_json(explain(document, *machine, types)).dump();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    check({reinterpret_cast<const char*>(data), size});
    return 0;
}
