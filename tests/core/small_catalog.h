// A handful of device types, declared and never built, for tests of what reads declarations.
#pragma once

#include "runtime/type_catalog.h"

#include <map>

namespace backplane::test {

class SmallCatalog final : public runtime::TypeCatalog {
public:
    SmallCatalog();
    const Entry* find(std::string_view name) const override;
    std::vector<std::string> names() const override;

private:
    std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace backplane::test
