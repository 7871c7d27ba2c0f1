#include "mux/options.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace gost {
namespace {

using namespace std::chrono_literals;

std::string refusal(const std::function<void(YamuxOptions&)>& change) {
  YamuxOptions options;
  change(options);
  auto valid = validate(MuxOptions(options));
  if (valid) return "";
  EXPECT_EQ(valid.error().cause, Cause::invalid);
  return valid.error().text;
}

TEST(YamuxOptions, TheDefaultsAndTheLimitsAreValid) {
  EXPECT_EQ(refusal([](YamuxOptions&) {}), "");
  EXPECT_EQ(refusal([](YamuxOptions& o) { o.max_stream_window = o.max_receive_buffer = 2147483647; }), "");
  EXPECT_EQ(refusal([](YamuxOptions& o) {
              o.keepalive_disabled = true;
              o.keepalive_interval = 0s;
            }),
            "");
}

TEST(YamuxOptions, WhatCannotWorkIsRefusedByName) {
  EXPECT_EQ(refusal([](YamuxOptions& o) { o.keepalive_interval = 0s; }),
            "mux.keepaliveInterval is 0s, but must be positive");
  EXPECT_EQ(refusal([](YamuxOptions& o) { o.max_stream_window = 262143; }),
            "mux.maxStreamWindow is 262143, but must be at least 262144, with which every stream begins");
  EXPECT_EQ(refusal([](YamuxOptions& o) { o.max_stream_window = o.max_receive_buffer = 2147483648; }),
            "mux.maxStreamWindow is 2147483648, but must not be larger than 2147483647");
  EXPECT_EQ(refusal([](YamuxOptions& o) { o.max_receive_buffer = 4096; }),
            "mux.maxStreamWindow is 262144, but must not be larger than mux.maxReceiveBuffer, which is 4096");
}

TEST(MuxOptions, TransportsOfferHalfClosesOfSmux) {
  EXPECT_FALSE(SmuxOptions().half_close) << "MBIND says what GOST says";
  EXPECT_TRUE(std::get<SmuxOptions>(for_transport(SmuxOptions())).half_close);
  EXPECT_TRUE(std::holds_alternative<YamuxOptions>(for_transport(YamuxOptions())));
}

TEST(MuxOptions, ChooseTheProtocol) {
  EXPECT_EQ(make_machine({}, MuxSide::client, TimePoint())->name(), "smux");
  EXPECT_EQ(make_machine(YamuxOptions(), MuxSide::client, TimePoint())->name(), "yamux");
  EXPECT_FALSE(validate(MuxOptions(SmuxOptions{.version = 3})));
}

}  // namespace
}  // namespace gost
