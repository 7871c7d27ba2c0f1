#include "core/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace gost {
namespace {

TEST(Error, SystemErrorsAreWordedAsGoWordsThem) {
  Error error = Error::system(ECONNREFUSED, "connect").in("dial tcp 127.0.0.1:1");
  EXPECT_EQ(error.text, "dial tcp 127.0.0.1:1: connect: connection refused");
  EXPECT_EQ(error.cause, Cause::refused);
  EXPECT_EQ(Error::system(EADDRINUSE, "bind").text, "bind: address already in use");
}

TEST(Error, CausesTellWhatTheUserCanDecideBy) {
  EXPECT_EQ(system_cause(EHOSTUNREACH), Cause::host_unreachable);
  EXPECT_EQ(system_cause(ENETUNREACH), Cause::network_unreachable);
  EXPECT_EQ(system_cause(ETIMEDOUT), Cause::timeout);
  EXPECT_EQ(system_cause(EMFILE), Cause::exhausted);
  EXPECT_EQ(to_string(Cause::denied), "denied");
}

}  // namespace
}  // namespace gost
