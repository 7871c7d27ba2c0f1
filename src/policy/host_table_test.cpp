#include "policy/host_table.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace gost {
namespace {

namespace fs = std::filesystem;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

std::string found(const Hosts& hosts, std::string_view name) {
  std::string text;
  for (const IpAddress& address : hosts.lookup(name)) text += (text.empty() ? "" : " ") + address.to_string();
  return text;
}

TEST(HostTable, AnExactNameWinsOverItsDomainAndThatOverTheParents) {
  HostTable table({{"www.example.org", ip("1.1.1.1")},
                   {".www.example.org", ip("2.2.2.2")},
                   {".example.org", ip("3.3.3.3")},
                   {".org", ip("4.4.4.4")},
                   {".", ip("5.5.5.5")}});
  EXPECT_EQ(found(table, "www.example.org"), "1.1.1.1");
  EXPECT_EQ(found(table, "a.www.example.org"), "2.2.2.2");
  EXPECT_EQ(found(table, "mail.example.org"), "3.3.3.3");
  EXPECT_EQ(found(table, "a.b.example.org"), "3.3.3.3");
  EXPECT_EQ(found(table, "example.org"), "3.3.3.3");
  EXPECT_EQ(found(table, "org"), "4.4.4.4");
  EXPECT_EQ(found(table, "notexample.org"), "4.4.4.4");
  EXPECT_EQ(found(table, "example.com"), "5.5.5.5");
}

TEST(HostTable, CaseAndADotAtTheEndMakeNoDifference) {
  HostTable table({{"Example.ORG.", ip("1.1.1.1")}, {".Example.net", ip("2.2.2.2")}});
  EXPECT_EQ(found(table, "eXAMPLE.org"), "1.1.1.1");
  EXPECT_EQ(found(table, "example.org."), "1.1.1.1");
  EXPECT_EQ(found(table, "WWW.EXAMPLE.NET."), "2.2.2.2");
}

TEST(HostTable, ANameHasAllItsAddressesInOrderAndEachOnce) {
  HostTable table({{"a", ip("::1")}, {"a", ip("1.1.1.1")}, {"b", ip("9.9.9.9")}, {"A", ip("::ffff:1.1.1.1")}});
  EXPECT_EQ(found(table, "a"), "::1 1.1.1.1");
}

TEST(HostTable, WhatIsNotListedIsNotFound) {
  EXPECT_EQ(found(HostTable({}), "a"), "");
  HostTable table({{"a", ip("1.1.1.1")}});
  EXPECT_EQ(found(table, "b"), "");
  EXPECT_EQ(found(table, ""), "");
  EXPECT_EQ(found(table, "x.a"), "");
}

TEST(ParseHosts, AnAddressAndItsNamesALine) {
  auto entries = parse_hosts("# comment\n127.0.0.1\tlocalhost  local # here\n\n::1 six\n", "hosts").value();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries[0].name, "localhost");
  EXPECT_EQ(entries[1].name, "local");
  EXPECT_EQ(entries[2].name, "six");
  EXPECT_EQ(entries[2].ip, ip("::1"));
}

TEST(ParseHosts, NamesTheLineOfAMistake) {
  EXPECT_EQ(parse_hosts("1.1.1.1 a\nb 1.1.1.1\n", "/h").error().text,
            "/h:2: 'b' is not an IP address; write 'IP name'");
  EXPECT_EQ(parse_hosts("1.1.1.1\n", "/h").error().text, "/h:1: no name follows the address; write 'IP name'");
}

RC_GTEST_PROP(ParseHosts, NeverGivesANamelessEntry, (const std::string& text)) {
  auto entries = parse_hosts(text, "hosts");
  if (!entries) return;
  for (const HostEntry& entry : *entries) {
    RC_ASSERT(!entry.name.empty());
    RC_ASSERT(entry.name.find_first_of(" \t\r\n#") == std::string::npos);
  }
}

TEST(HostFile, CountsBehindTheInlineEntriesAndIsReadAgain) {
  std::string pattern = (fs::temp_directory_path() / "gost-hosts-XXXXXX").string();
  fs::path folder = ::mkdtemp(pattern.data());
  std::string path = (folder / "hosts").string();
  std::ofstream(path) << "2.2.2.2 a\n";
  auto file = HostFile::open(path, {{"a", ip("1.1.1.1")}}).value();
  EXPECT_EQ(found(*file, "a"), "1.1.1.1 2.2.2.2");
  EXPECT_FALSE(file->reload().value());
  std::ofstream(path, std::ios::app) << "3.3.3.3 b\n";
  EXPECT_TRUE(file->reload().value());
  EXPECT_EQ(found(*file, "b"), "3.3.3.3");
  std::ofstream(path, std::ios::app) << "broken\n";
  EXPECT_FALSE(file->reload());
  EXPECT_FALSE(file->reload().value());
  EXPECT_EQ(found(*file, "b"), "3.3.3.3");
  fs::remove_all(folder);
}

}  // namespace
}  // namespace gost
