#include "mux/smux_options.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace gost {
namespace {

using namespace std::chrono_literals;

std::string refusal(const std::function<void(SmuxOptions&)>& change) {
  SmuxOptions options;
  change(options);
  auto valid = validate(options);
  if (valid) return "";
  EXPECT_EQ(valid.error().cause, Cause::invalid);
  return valid.error().text;
}

TEST(SmuxOptions, TheDefaultsAndTheLimitsAreValid) {
  EXPECT_EQ(refusal([](SmuxOptions&) {}), "");
  EXPECT_EQ(refusal([](SmuxOptions& o) { o.version = 2; }), "");
  EXPECT_EQ(refusal([](SmuxOptions& o) { o.max_frame_size = 1; }), "");
  EXPECT_EQ(refusal([](SmuxOptions& o) { o.max_frame_size = 65535; }), "");
  EXPECT_EQ(refusal([](SmuxOptions& o) { o.keepalive_interval = 30s; }), "");
  EXPECT_EQ(refusal([](SmuxOptions& o) { o.max_receive_buffer = o.max_stream_buffer = 2147483647; }), "");
}

TEST(SmuxOptions, WhatGostRefusesIsRefusedByName) {
  EXPECT_EQ(refusal([](SmuxOptions& o) { o.version = 3; }), "mux.version is 3, but must be 1 or 2");
  EXPECT_EQ(refusal([](SmuxOptions& o) { o.keepalive_interval = 0s; }),
            "mux.keepaliveInterval is 0s, but must be positive");
  EXPECT_EQ(refusal([](SmuxOptions& o) { o.keepalive_interval = 40s; }),
            "mux.keepaliveTimeout is 30s, but must not be shorter than mux.keepaliveInterval, which is 40s");
  EXPECT_EQ(refusal([](SmuxOptions& o) { o.max_frame_size = 65536; }),
            "mux.maxFrameSize is 65536, but must be from 1 to 65535");
  EXPECT_EQ(refusal([](SmuxOptions& o) { o.max_frame_size = 0; }),
            "mux.maxFrameSize is 0, but must be from 1 to 65535");
  EXPECT_EQ(refusal([](SmuxOptions& o) { o.max_receive_buffer = -1; }),
            "mux.maxReceiveBuffer is -1, but must be positive");
  EXPECT_EQ(refusal([](SmuxOptions& o) { o.max_stream_buffer = 0; }),
            "mux.maxStreamBuffer is 0, but must be positive");
  EXPECT_EQ(refusal([](SmuxOptions& o) { o.max_receive_buffer = 1000; }),
            "mux.maxStreamBuffer is 65536, but must not be larger than mux.maxReceiveBuffer, which is 1000");
  EXPECT_EQ(refusal([](SmuxOptions& o) { o.max_receive_buffer = o.max_stream_buffer = 2147483648; }),
            "mux.maxStreamBuffer is 2147483648, but must not be larger than 2147483647");
}

TEST(SmuxOptions, WithoutKeepaliveItsTimesDoNotMatter) {
  EXPECT_EQ(refusal([](SmuxOptions& o) {
              o.keepalive_disabled = true;
              o.keepalive_interval = 0s;
            }),
            "");
}

}  // namespace
}  // namespace gost
