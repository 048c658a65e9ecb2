#include "coverage.h"

#include "disagreements.h"
#include "exemptions.h"

#include <map>

namespace backplane::oracle {
namespace {

constexpr const char* status_names[] = {"covered",         "refused only", "exempt",
                                        "known to differ", "unreachable",  "not advertised",
                                        "uncovered"};

int bits_of(x86::CodeSize size) {
    return size == x86::CodeSize::Bits64 ? 64 : size == x86::CodeSize::Bits32 ? 32 : 16;
}

std::string as_json(std::string_view text) {
    std::string result = "\"";
    for (const char letter : text) {
        if (letter == '"' || letter == '\\') result += '\\';
        result += letter;
    }
    return result + "\"";
}

class Json {
public:
    void open(const std::string& key, char bracket) {
        item(key);
        text_ += bracket;
        first_ = true;
        ++depth_;
    }
    void close(char bracket) {
        --depth_;
        line();
        text_ += bracket;
        first_ = false;
    }
    void add(const std::string& key, std::uint64_t value) {
        item(key);
        text_ += std::to_string(value);
    }
    void add(const std::string& key, std::string_view value) {
        item(key);
        text_ += as_json(value);
    }
    std::string take() { return text_ + "\n"; }

private:
    void line() { text_ += "\n" + std::string(static_cast<std::size_t>(depth_) * 2, ' '); }
    void item(const std::string& key) {
        if (!first_) text_ += ",";
        if (depth_ > 0) line();
        first_ = false;
        if (!key.empty()) text_ += as_json(key) + ": ";
    }

    std::string text_;
    bool first_ = true;
    int depth_ = 0;
};

void add_totals(Json& json, const Oracle& oracle) {
    std::map<int, std::map<std::string, std::uint64_t>> totals;
    for (std::size_t i = 0; i < oracle.forms().forms().size(); ++i)
        ++totals[bits_of(oracle.forms().forms()[i].code_size)]
                [status_names[static_cast<std::size_t>(status_of(oracle, i))]];
    json.open("forms by code size", '{');
    for (const auto& [bits, by_status] : totals) {
        json.open(std::to_string(bits), '{');
        for (const auto& [name, count] : by_status)
            json.add(name, count);
        json.close('}');
    }
    json.close('}');
}

void add_forms(Json& json, const Oracle& oracle) {
    json.open("forms", '[');
    for (std::size_t i = 0; i < oracle.forms().forms().size(); ++i) {
        const Form& form = oracle.forms().forms()[i];
        const FormCount& count = oracle.counts()[i];
        const FormStatus status = status_of(oracle, i);
        json.open("", '{');
        json.add("form", form.text);
        json.add("code", static_cast<std::uint64_t>(bits_of(form.code_size)));
        json.add("set", ZydisISASetGetString(form.isa_set));
        json.add("status", status_names[static_cast<std::size_t>(status)]);
        if (count.cases) {
            json.add("cases", count.cases);
            json.add("completed", count.completed);
            json.add("failures", count.failures);
        }
        json.close('}');
    }
    json.close(']');
}

}  // namespace

FormStatus status_of(const Oracle& oracle, std::size_t index) {
    const Form& form = oracle.forms().forms()[index];
    const FormCount& count = oracle.counts()[index];
    if (!form.advertised) return FormStatus::NotAdvertised;
    const Exemption* exemption = form.exemption;
    if (exemption && !exemption->privileged) return FormStatus::Exempt;
    if (form.code_size == x86::CodeSize::Bits16 && !oracle.has_code16())
        return FormStatus::Unreachable;
    if (exemption) return count.cases ? FormStatus::RefusedOnly : FormStatus::Uncovered;
    if (count.cases && count.excused == count.cases) return FormStatus::KnownToDiffer;
    return count.completed ? FormStatus::Covered : FormStatus::Uncovered;
}

std::vector<std::size_t> uncovered_forms(const Oracle& oracle) {
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < oracle.forms().forms().size(); ++i)
        if (status_of(oracle, i) == FormStatus::Uncovered) missing.push_back(i);
    return missing;
}

std::string coverage_json(const Oracle& oracle, std::uint64_t seed) {
    Json json;
    json.open("", '{');
    json.add("seed", seed);
    json.add("cases", oracle.cases());
    json.open("cases by code size", '{');
    for (const auto size : {x86::CodeSize::Bits16, x86::CodeSize::Bits32, x86::CodeSize::Bits64})
        json.add(std::to_string(bits_of(size)), oracle.cases(size));
    json.close('}');
    json.add("bytes that are no instruction", oracle.invalid_cases());
    json.add("failures", oracle.failed());
    add_totals(json, oracle);
    json.open("exempt", '[');
    for (const Exemption& entry : exemptions()) {
        json.open("", '{');
        json.add("mnemonic", ZydisMnemonicGetString(entry.mnemonic));
        json.add("reason", entry.reason);
        json.add("covered by", entry.covered_by);
        json.close('}');
    }
    json.close(']');
    json.open("known disagreements", '[');
    for (std::size_t i = 0; i < disagreements().size(); ++i) {
        json.open("", '{');
        json.add("name", disagreements()[i].name);
        json.add("reason", disagreements()[i].reason);
        json.add("cases", oracle.excused()[i]);
        json.close('}');
    }
    json.close(']');
    add_forms(json, oracle);
    json.close('}');
    return json.take();
}

}  // namespace backplane::oracle
