#include "policy/host_matcher.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gost {
namespace {

HostMatcher matcher_of(std::initializer_list<std::string_view> matchers) {
  HostMatcher matcher;
  for (std::string_view text : matchers) EXPECT_TRUE(matcher.add(text)) << text;
  matcher.finish();
  return matcher;
}

struct Case {
  std::string_view matcher;
  std::string_view host;
  std::uint16_t port;
  bool matches;
};

// Each form of config.md §3.4 with what it takes and what it leaves.
constexpr Case kCases[] = {
    {"10.0.0.0/8", "10.1.2.3", 1, true},
    {"10.0.0.0/8", "11.0.0.0", 1, false},
    {"10.0.0.0/8", "::ffff:10.1.2.3", 1, true},
    {"0.0.0.0/0", "example.org", 1, false},
    {"0.0.0.0/0", "::1", 1, false},
    {"2001:db8::/32", "2001:db8:ffff::1", 1, true},
    {"2001:db8::/32", "2001:db9::1", 1, false},
    {"fe80::/10", "fe80::1%1", 1, true},
    {"*.example.org", "www.example.org", 80, true},
    {"*.example.org", "a.b.example.org", 80, true},
    {"*.example.org", "example.org", 80, false},
    {"*.EXAMPLE.org", "WWW.example.ORG", 80, true},
    {"*.example.org:443", "www.example.org", 443, true},
    {"*.example.org:443", "www.example.org", 80, false},
    {"*.example.org:80-90", "www.example.org", 90, true},
    {"*.example.org:80-90", "www.example.org", 91, false},
    {"www.?.org", "www.x.org", 1, true},
    {"www.?.org", "www.xy.org", 1, false},
    {"*", "anything", 1, true},
    {"*:25", "10.0.0.1", 25, true},
    {"*:25", "10.0.0.1", 26, false},
    {"192.168.*", "192.168.3.4", 1, true},
    {"2001:db8:*", "2001:db8::5", 1, true},
    {"[2001:db8:*]:80", "2001:db8::5", 80, true},
    {"[2001:db8:*]:80", "2001:db8::5", 81, false},
    {"10.0.0.1", "10.0.0.1", 1, true},
    {"10.0.0.1", "10.0.0.11", 1, false},
    {"::1", "0:0:0:0:0:0:0:1", 1, true},
    {"10.0.0.1-10.0.0.9", "10.0.0.9", 1, true},
    {"10.0.0.1-10.0.0.9", "10.0.0.10", 1, false},
    {"10.0.0.1:80", "10.0.0.1", 80, true},
    {"10.0.0.1:80", "10.0.0.1", 81, false},
    {"[::1]:80", "::1", 80, true},
    {"[::1]:80-81", "::1", 82, false},
    {"example.org", "example.org", 1, true},
    {"example.org", "EXAMPLE.org.", 1, true},
    {"Example.Org.", "example.org", 1, true},
    {"example.org", "www.example.org", 1, false},
    {"example.org", "notexample.org", 1, false},
    {"example.org:443", "example.org", 443, true},
    {"example.org:443", "example.org", 80, false},
    {"example.org:1-1024", "example.org", 1024, true},
    {".example.org", "example.org", 1, true},
    {".example.org", "www.example.org", 1, true},
    {".example.org", "a.b.c.example.org", 1, true},
    {".example.org", "notexample.org", 1, false},
    {".example.org", "org", 1, false},
    {".example.org:443", "www.example.org", 443, true},
    {".example.org:443", "www.example.org", 444, false},
    {".org", "example.org", 1, true},
    {"a-b.example.org", "a-b.example.org", 1, true},
    {"localhost", "localhost", 1, true},
};

TEST(HostMatcher, MatchesEachFormExactly) {
  for (const Case& it : kCases)
    EXPECT_EQ(matcher_of({it.matcher}).matches(it.host, it.port), it.matches)
        << it.matcher << " on " << it.host << ":" << it.port;
}

TEST(HostMatcher, AnyOfManyCounts) {
  HostMatcher matcher = matcher_of({"example.org:80", "example.org:443", ".example.org:8080", "10.0.0.0/8", "*.net"});
  EXPECT_TRUE(matcher.matches("example.org", 80));
  EXPECT_TRUE(matcher.matches("example.org", 443));
  EXPECT_TRUE(matcher.matches("example.org", 8080));
  EXPECT_TRUE(matcher.matches("www.example.org", 8080));
  EXPECT_FALSE(matcher.matches("www.example.org", 80));
  EXPECT_TRUE(matcher.matches("10.9.9.9", 1));
  EXPECT_TRUE(matcher.matches("a.net", 1));
  EXPECT_FALSE(matcher.matches("a.com", 1));
  EXPECT_EQ(matcher.size(), 5U);
  EXPECT_FALSE(matcher_of({}).matches("a", 1));
}

TEST(HostMatcher, RefusesWhatMeansNothing) {
  HostMatcher matcher;
  for (auto text : {"", "  ", ":80", "10.0.0.0/33", "10.0.0.0/8:80", "a/b", "example.org:", "example.org:http",
                    "example.org:90-80", "example.org:65536", "[::1", "[::1]80", ".", "10.0.0.9-10.0.0.1",
                    "10.0.0.1-20", "a b", "a,b", "{a,b}.org*", "*.org:x"})
    EXPECT_FALSE(matcher.add(text)) << text;
  EXPECT_EQ(matcher.add("example.org:http").error().text,
            "matcher 'example.org:http': behind ':' a port or a range of ports 'min-max' must follow");
}

TEST(Glob, TakesStarsAndQuestionMarks) {
  EXPECT_TRUE(glob_matches("a*b*c", "aXbYbZc"));
  EXPECT_FALSE(glob_matches("a*b*c", "aXbYbZ"));
  EXPECT_TRUE(glob_matches("**", ""));
  EXPECT_FALSE(glob_matches("?", ""));
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_FALSE(glob_matches("", "a"));
}

/// The definition, without any cleverness.
bool naive_glob(std::string_view pattern, std::string_view text) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '*')
    return naive_glob(pattern.substr(1), text) || (!text.empty() && naive_glob(pattern, text.substr(1)));
  return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
         naive_glob(pattern.substr(1), text.substr(1));
}

RC_GTEST_PROP(Glob, AgreesWithItsDefinition, ()) {
  auto pattern = *rc::gen::resize(12, rc::gen::container<std::string>(rc::gen::element('a', 'b', '*', '?')));
  auto text = *rc::gen::resize(12, rc::gen::container<std::string>(rc::gen::element('a', 'b')));
  RC_ASSERT(glob_matches(pattern, text) == naive_glob(pattern, text));
}

RC_GTEST_PROP(HostMatcher, UpperAndLowerCaseAreTheSame, ()) {
  auto label = rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::element('a', 'B', 'c', 'D', '-')));
  std::string name = *label + "." + *label;
  std::string upper = name;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  for (const std::string& form : {name, "." + name, "*" + name}) {
    HostMatcher matcher;
    RC_ASSERT(matcher.add(form).has_value());
    matcher.finish();
    RC_ASSERT(matcher.matches(upper, 1));
    RC_ASSERT(!matcher.matches(upper + "x", 1));
  }
}

}  // namespace
}  // namespace gost
