#include "socks5/mbind_client.hpp"

#include "net/read_message.hpp"
#include "socks5/codec.hpp"

#include <utility>

namespace gost::socks5 {

namespace {

constexpr Duration kReplyTimeout = std::chrono::seconds(15);

}  // namespace

MuxBind::MuxBind(IoContext& io, std::unique_ptr<Stream> control, Endpoint bound, const MuxOptions& options,
                 NameLookup lookup, Logger log)
    : io_(io),
      bound_(std::move(bound)),
      lookup_(std::move(lookup)),
      log_(std::move(log)),
      session_(io, std::move(control), options, MuxSide::server, this) {}

Task<> MuxBind::run() {
  TaskGroup introductions(co_await this_scope());
  introductions_ = &introductions;
  auto error = co_await session_.run();
  if (!error_) error_ = error ? error->in("mbind") : Error{Cause::eof, "mbind: the proxy has ended the session"};
  introductions_ = nullptr;
  introductions.stop();
  co_await introductions.join();
  peers_.clear();
  arrival_.set();
}

Task<Result<std::unique_ptr<Stream>>> MuxBind::accept() {
  while (peers_.empty()) {
    if (error_) co_return fail(*error_);
    arrival_.clear();
    if (Outcome outcome = co_await arrival_.until_set(); outcome != Outcome::ready)
      co_return fail(stop_error(outcome));
  }
  auto peer = std::move(peers_.front());
  peers_.pop_front();
  co_return peer;
}

void MuxBind::close() {
  if (!error_) error_ = Error{Cause::canceled, "mbind: closed"};
  peers_.clear();
  if (introductions_ != nullptr) introductions_->stop();
  arrival_.set();
  session_.end_when_idle();
}

void MuxBind::accepted(std::unique_ptr<MuxStream> stream) {
  if (error_ || introductions_ == nullptr) return;
  if (peers_.size() + introductions_->running() >= kMaxWaiting)
    return dropped(std::to_string(kMaxWaiting) + " others wait already");
  introductions_->spawn(introduce(std::move(stream)));
}

Task<> MuxBind::introduce(std::unique_ptr<MuxStream> stream) {
  auto peer = co_await with_deadline(kReplyTimeout, address_of(*stream));
  if (error_) co_return;
  if (!peer) {
    if (peer.error().cause != Cause::canceled) dropped(peer.error().text);
    co_return;
  }
  stream->set_remote(*peer);
  peers_.push_back(std::move(stream));
  arrival_.set();
}

Task<Result<SocketAddress>> MuxBind::address_of(MuxStream& stream) {
  auto reply = co_await read_message<kMaxRequest>(stream, &decode_reply);
  if (!reply) co_return fail(reply.error().in("reply"));
  if (static_cast<Reply>(reply->reply) != Reply::succeeded)
    co_return fail(Cause::protocol, "the proxy announced it with reply " + std::to_string(reply->reply));
  const Endpoint& peer = reply->bound;
  if (auto literal = IpAddress::parse(peer.host)) co_return SocketAddress(literal->unmapped(), peer.port);
  auto ip = co_await look_up(io_, lookup_, peer.host, Family::v4);
  if (!ip) ip = co_await look_up(io_, lookup_, peer.host, Family::v6);
  if (!ip) co_return fail(std::move(ip.error()));
  co_return SocketAddress(*ip, peer.port);
}

void MuxBind::dropped(const std::string& why) const {
  log_.warn("mbind: a peer of " + bound_.to_string() + " was dropped: " + why);
}

}  // namespace gost::socks5
