#include "app/notify.hpp"

#include "net/fd.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace gost {
namespace {

TEST(Notify, SendsTheStateToASocketInTheAbstractNamespace) {
  Fd manager(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string name = "gost-notify-test-" + std::to_string(::getpid());
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  ASSERT_EQ(::bind(manager.get(), reinterpret_cast<sockaddr*>(&address), size), 0);

  ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
  notify_manager("READY=1");
  ::unsetenv("NOTIFY_SOCKET");
  notify_manager("STOPPING=1");

  std::array<char, 64> state{};
  ASSERT_EQ(::recv(manager.get(), state.data(), state.size(), 0), 7);
  EXPECT_STREQ(state.data(), "READY=1");
  EXPECT_LT(::recv(manager.get(), state.data(), state.size(), 0), 0) << "nothing is sent without the variable";
}

}  // namespace
}  // namespace gost
