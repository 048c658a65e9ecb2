#include "runtime/declaration_copy.h"

#include <gtest/gtest.h>

namespace backplane::runtime {

namespace {

// A struct as version 1.0 had it, and as this host knows it.
struct Old {
    std::uint32_t struct_size;
    std::uint32_t number;
};

struct New {
    std::uint32_t struct_size;
    std::uint32_t number;
    const char* text;
};

TEST(DeclarationCopy, ReadsMembersThatAnOlderPluginLacksAsZero) {
    const Old old[] = {{sizeof(Old), 7}, {sizeof(Old), 8}, {sizeof(Old), 9}};
    const auto copies = copy_array(reinterpret_cast<const New*>(old), 3, sizeof(Old), "thing");
    ASSERT_TRUE(copies.has_value()) << copies.error();
    ASSERT_EQ(copies->size(), 3u);
    EXPECT_EQ((*copies)[0].number, 7u);
    EXPECT_EQ((*copies)[1].number, 8u);
    EXPECT_EQ((*copies)[2].number, 9u);
    for (const New& copy : *copies) {
        EXPECT_EQ(copy.text, nullptr);
        EXPECT_EQ(copy.struct_size, sizeof(New));
    }
}

TEST(DeclarationCopy, DropsMembersThatThisHostDoesNotKnow) {
    const New newer[] = {{sizeof(New), 7, "x"}, {sizeof(New), 8, "y"}};
    const auto copies = copy_array(reinterpret_cast<const Old*>(newer), 2, sizeof(Old), "thing");
    ASSERT_TRUE(copies.has_value()) << copies.error();
    EXPECT_EQ((*copies)[1].number, 8u);
    EXPECT_EQ((*copies)[1].struct_size, sizeof(Old));
}

TEST(DeclarationCopy, GivesTextPropertiesWithoutDefaultTheEmptyText) {
    backplane_property property{};
    property.struct_size = sizeof property;
    property.kind = BACKPLANE_TEXT;
    backplane_device_type type{};
    type.struct_size = sizeof type;
    type.property_count = 1;
    type.properties = &property;
    const auto copy = DeviceTypeCopy::make(&type);
    ASSERT_TRUE(copy.has_value()) << copy.error();
    EXPECT_STREQ((*copy)->type().properties[0].initial.text, "");
    EXPECT_EQ(property.initial.text, nullptr);
}

}  // namespace

}  // namespace backplane::runtime
