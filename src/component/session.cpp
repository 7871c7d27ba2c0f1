#include "component/session.hpp"

#include <array>

namespace gost {

namespace {

constexpr Duration kLinger = std::chrono::seconds(1);
constexpr std::size_t kMostDropped = std::size_t{256} * 1024;

Task<> read_to_the_end(Stream& client) {
  std::array<std::uint8_t, 4096> buffer;
  for (std::size_t dropped = 0; dropped < kMostDropped;) {
    IoResult io = client.try_read(buffer);
    if (io.status == IoResult::Status::would_block) {
      if (co_await client.until(Interest::read) != Outcome::ready) co_return;
    } else if (io.status != IoResult::Status::ok) {
      co_return;
    }
    dropped += io.bytes;
  }
}

}  // namespace

Task<> drop_unread(Stream& client) {
  std::array<std::uint8_t, 1> byte;
  if (!client.ready(Interest::read) || client.try_read(byte).status != IoResult::Status::ok) co_return;
  if (client.try_shutdown().status != IoResult::Status::ok) co_return;
  co_await with_deadline(kLinger, read_to_the_end(client));
}

}  // namespace gost
