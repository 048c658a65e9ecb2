// What takes minutes under a sanitizer does less there.
#pragma once

namespace backplane::test {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = false;
#endif

}  // namespace backplane::test
