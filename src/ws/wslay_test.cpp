// wslay, which is somebody else's reading of RFC 6455, at the other end of a WsStream.
#include "ws/testing/pair.hpp"

#include <wslay/wslay.h>

namespace gost::ws {
namespace {

using testing::Lone;
using testing::noise;

/// A wslay context on the peer's stream.
class WslayPeer {
 public:
  WslayPeer(Stream& stream, Role role) : stream_(stream) {
    wslay_event_callbacks callbacks{};
    callbacks.recv_callback = &receive;
    callbacks.send_callback = &send;
    callbacks.genmask_callback = &make_mask;
    callbacks.on_msg_recv_callback = &on_message;
    if (role == Role::client) {
      wslay_event_context_client_init(&context_, &callbacks, this);
    } else {
      wslay_event_context_server_init(&context_, &callbacks, this);
    }
  }
  WslayPeer(const WslayPeer&) = delete;
  WslayPeer& operator=(const WslayPeer&) = delete;
  ~WslayPeer() { wslay_event_context_free(context_); }

  void queue(Opcode opcode, const std::string& payload) {
    const wslay_event_msg message{static_cast<std::uint8_t>(opcode), as_bytes(payload).data(), payload.size()};
    ASSERT_EQ(wslay_event_queue_msg(context_, &message), 0);
  }
  void queue_close(std::uint16_t code) { ASSERT_EQ(wslay_event_queue_close(context_, code, nullptr, 0), 0); }
  /// Sends and reads what can be.
  void turn() {
    EXPECT_EQ(wslay_event_send(context_), 0);
    EXPECT_EQ(wslay_event_recv(context_), 0);
    EXPECT_EQ(wslay_event_send(context_), 0);
  }
  std::uint16_t closed_with() const { return wslay_event_get_status_code_received(context_); }

  std::string got;
  int pongs = 0;

 private:
  static WslayPeer& self(void* user) { return *static_cast<WslayPeer*>(user); }
  static ssize_t receive(wslay_event_context_ptr context, std::uint8_t* into, std::size_t size, int, void* user) {
    const IoResult io = self(user).stream_.try_read({into, size});
    if (io.status == IoResult::Status::ok) return static_cast<ssize_t>(io.bytes);
    wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
    return -1;
  }
  static ssize_t send(wslay_event_context_ptr context, const std::uint8_t* from, std::size_t size, int, void* user) {
    const IoResult io = self(user).stream_.try_write({from, size});
    if (io.status == IoResult::Status::ok) return static_cast<ssize_t>(io.bytes);
    wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
    return -1;
  }
  static int make_mask(wslay_event_context_ptr, std::uint8_t* into, std::size_t size, void*) {
    std::fill(into, into + size, std::uint8_t{0x5A});
    return 0;
  }
  static void on_message(wslay_event_context_ptr, const wslay_event_on_msg_recv_arg* message, void* user) {
    if (message->opcode == WSLAY_PONG) ++self(user).pongs;
    if (!wslay_is_ctrl_frame(message->opcode)) self(user).got += as_text({message->msg, message->msg_length});
  }

  Stream& stream_;
  wslay_event_context_ptr context_ = nullptr;
};

void talk(Role ours) {
  Lone lone(ours, {}, {.capacity = 5'000});
  WslayPeer peer(*lone.peer, ours == Role::client ? Role::server : Role::client);
  const std::string there(as_text(noise(300'000, 1)));
  std::string back;
  std::string got;
  std::string_view left = there;
  for (std::size_t size : {0U, 1U, 125U, 126U, 127U, 65'535U, 65'536U, 100'000U}) {
    const std::string payload(as_text(noise(size, 2)));
    peer.queue(size % 2 == 0 ? Opcode::binary : Opcode::text, payload);
    peer.queue(Opcode::ping, "are you there");
    back += payload;
  }
  for (int turn = 0; turn < 100'000 && (!left.empty() || got.size() < back.size() || peer.got.size() < there.size());
       ++turn) {
    if (!left.empty()) left.remove_prefix(lone.end->try_write(as_bytes(left)).bytes);
    peer.turn();
    got += lone.get();
    ASSERT_EQ(lone.last.status, IoResult::Status::would_block) << lone.error();
  }
  lone.get();
  peer.turn();
  EXPECT_TRUE(peer.got == there);
  EXPECT_TRUE(got == back);
  EXPECT_EQ(peer.pongs, 8);

  peer.queue_close(1001);
  peer.turn();
  lone.get();
  EXPECT_EQ(lone.last.status, IoResult::Status::eof);
  peer.turn();
  EXPECT_EQ(peer.closed_with(), 1001);
}

TEST(WsWithWslay, AsClient) {
  talk(Role::client);
}

TEST(WsWithWslay, AsServer) {
  talk(Role::server);
}

}  // namespace
}  // namespace gost::ws
