#include "policy/dns_message.hpp"

#include "policy/testing/fake_name_server.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace gost {
namespace {

using testing::Message;
using testing::Reply;
using testing::reply_to;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}

Message query_for(std::string name, DnsType type = DnsType::a) {
  return encode_dns_query({std::move(name), type, 0x1234, std::nullopt}).value();
}

TEST(EncodeDnsQuery, WritesTheQuestionWithEdns) {
  EXPECT_EQ(to_hex(query_for("www.Example.org")),
            "123401000001000000000001"
            "0377777707"
            "4578616d706c65"
            "036f726700"
            "00010001"
            "00002904d0000000000000");
  EXPECT_TRUE(to_hex(query_for("a.b.", DnsType::aaaa)).contains("0161016200001c0001"));
}

TEST(EncodeDnsQuery, TellsTheClientsNetworkOnly) {
  auto four = encode_dns_query({"a.b", DnsType::a, 1, ip("192.0.2.77")}).value();
  EXPECT_TRUE(
      to_hex(four).ends_with("00002904d000000000000b"
                             "0008000700011800c00002"))
      << to_hex(four);
  auto six = encode_dns_query({"a.b", DnsType::a, 1, ip("2001:db8:1:2ff::7")}).value();
  EXPECT_TRUE(to_hex(six).ends_with("0008000b0002380020010db8000102")) << to_hex(six);
}

TEST(EncodeDnsQuery, RefusesWhatCannotBeAName) {
  for (auto name : {std::string(), std::string("a b"), std::string("a\0b", 3), std::string("a\\.b"),
                    std::string(64, 'a') + ".org", std::string("a..b"), std::string(260, 'a')}) {
    auto query = encode_dns_query({name, DnsType::a, 1, std::nullopt});
    ASSERT_FALSE(query) << name;
    EXPECT_EQ(query.error().cause, Cause::host_unreachable);
  }
}

TEST(DecodeDnsAnswer, GivesAddressesAndTheSmallestTtl) {
  Message query = query_for("a.b");
  auto answer = decode_dns_answer(query, reply_to(query, {0, {ip("1.2.3.4"), ip("5.6.7.8")}, 77, false})).value();
  EXPECT_EQ(answer.status, DnsAnswer::Status::found);
  EXPECT_EQ(answer.addresses, (std::vector{ip("1.2.3.4"), ip("5.6.7.8")}));
  EXPECT_EQ(answer.ttl, 77U);
  Message six = query_for("a.b", DnsType::aaaa);
  EXPECT_EQ(decode_dns_answer(six, reply_to(six, {0, {ip("2001:db8::1")}, 1, false}))->addresses.front(),
            ip("2001:db8::1"));
}

TEST(DecodeDnsAnswer, TellsNothingThereFromFailureAndTruncation) {
  Message query = query_for("a.b");
  using Status = DnsAnswer::Status;
  EXPECT_EQ(decode_dns_answer(query, reply_to(query, {3, {}, 0, false}))->status, Status::no_addresses);
  EXPECT_EQ(decode_dns_answer(query, reply_to(query, {0, {}, 0, false}))->status, Status::no_addresses);
  EXPECT_EQ(decode_dns_answer(query, reply_to(query, {0, {}, 0, true}))->status, Status::truncated);
  auto refused = decode_dns_answer(query, reply_to(query, {5, {}, 0, false})).value();
  EXPECT_EQ(refused.status, Status::failed);
  EXPECT_EQ(refused.reason, "query refused");
  EXPECT_EQ(decode_dns_answer(query, reply_to(query, {11, {}, 0, false}))->reason, "answer code 11");
}

TEST(DecodeDnsAnswer, OnlyTheAnswerToThisQuestionCounts) {
  Message query = query_for("www.example.org");
  Message answer = reply_to(query, {0, {ip("1.2.3.4")}, 1, false});
  EXPECT_TRUE(decode_dns_answer(query_for("WWW.example.ORG"), answer));
  EXPECT_FALSE(decode_dns_answer(query_for("www.example.net"), answer));
  EXPECT_FALSE(decode_dns_answer(query_for("www.example.org", DnsType::aaaa), answer));
  EXPECT_FALSE(decode_dns_answer(query, query));
  Message other_id = answer;
  other_id[0] ^= 1;
  EXPECT_FALSE(decode_dns_answer(query, other_id));
  EXPECT_FALSE(decode_dns_answer(query, Message()));
}

TEST(DecodeDnsAnswer, ACutAnswerIsNoneOrAFailure) {
  Message query = query_for("a.b");
  Message answer = reply_to(query, {0, {ip("1.2.3.4"), ip("5.6.7.8")}, 77, false});
  for (std::size_t size = 0; size < answer.size(); ++size) {
    auto decoded = decode_dns_answer(query, Bytes(answer).first(size));
    if (decoded) {
      EXPECT_EQ(decoded->status, DnsAnswer::Status::failed) << size;
    }
  }
}

RC_GTEST_PROP(DnsMessage, WhatIsAskedIsWhatIsAnswered, (std::uint16_t id)) {
  auto numbers = *rc::gen::resize(20, rc::gen::arbitrary<std::vector<std::uint32_t>>());
  std::vector<IpAddress> addresses;
  for (std::uint32_t n : numbers)
    addresses.push_back(IpAddress::v4({static_cast<std::uint8_t>(n >> 24), static_cast<std::uint8_t>(n >> 16),
                                       static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)}));
  auto label = rc::gen::map(rc::gen::inRange(1, 64),
                            [](int size) { return std::string(static_cast<std::size_t>(size), 'x'); });
  std::string name = *label + "." + *label;
  auto query = encode_dns_query({name, DnsType::a, id, std::nullopt});
  RC_ASSERT(query.has_value());
  RC_ASSERT(testing::question_of(*query).first == name);
  auto answer = decode_dns_answer(*query, reply_to(*query, {0, addresses, 60, false}));
  RC_ASSERT(answer.has_value());
  RC_ASSERT(answer->addresses == addresses);
}

RC_GTEST_PROP(DecodeDnsAnswer, SurvivesAnyBytes, (std::vector<std::uint8_t> tail)) {
  Message query = query_for("a.b");
  Message message = reply_to(query, {0, {ip("1.2.3.4")}, 1, false});
  std::size_t keep = *rc::gen::inRange<std::size_t>(0, message.size() + 1);
  message.resize(keep);
  message.insert(message.end(), tail.begin(), tail.end());
  auto answer = decode_dns_answer(query, message);
  if (answer) RC_ASSERT(answer->addresses.size() <= 64U);
}

}  // namespace
}  // namespace gost
