#include "socks5/refuse.hpp"

#include "component/refusal.hpp"
#include "net/stream_io.hpp"
#include "socks5/codec.hpp"

namespace gost::socks5 {

Task<Result<>> refuse(Session& session, Error error) {
  auto reply = encode_reply(static_cast<Reply>(refusal_for(error.cause).socks5));
  auto sent = co_await write_all(*session.client, reply.view());
  co_await drop_unread(*session.client);
  co_return fail(std::move(error));
}

}  // namespace gost::socks5
