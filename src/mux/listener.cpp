#include "mux/listener.hpp"

#include "runtime/list.hpp"

#include <optional>
#include <utility>

namespace gost {

namespace {

struct ConnectionTag;

}  // namespace

/// One loop's place: takes the connections from below, and hands their streams up.
class MuxListener::Seat final : public StreamSink {
 public:
  Seat(MuxListener& listener, ListenerSeat above) : listener_(listener), above_(above) {}

  IoContext& io() const { return *above_.io; }
  StreamSink& above() const { return *above_.sink; }
  const MuxOptions& options() const { return listener_.options_; }

  void deliver(std::unique_ptr<Stream> stream) override { above().carry(serve(std::move(stream))); }
  void deliver(std::unique_ptr<Datagram>, SocketAddress, SocketAddress) override {}
  void carry(Task<> carrier) override { above().carry(std::move(carrier)); }
  void enter_handshake(HandshakeGate::Slot& slot, Scope& scope) override { above().enter_handshake(slot, scope); }
  void accept_failed(const Error& error, Duration retry_in) override { above().accept_failed(error, retry_in); }
  void warn(const SocketAddress& client, const std::string& text) override { above().warn(client, text); }

  void accepting_ended();

 private:
  Task<> serve(std::unique_ptr<Stream> stream);
  Task<std::optional<Error>> serve(std::unique_ptr<Stream> stream, HandshakeGate::Slot& handshake);
  GOST_OWN_FRAME Task<Result<>> upgrade(std::unique_ptr<Stream>& stream);

  MuxListener& listener_;
  ListenerSeat above_;
  bool accepts_ = true;
  List<Connection, ConnectionTag> connections_;
};

class MuxListener::Connection final : public ListHook<ConnectionTag>, private MuxSink {
 public:
  Connection(Seat& seat, HandshakeGate::Slot& handshake, std::unique_ptr<Stream> below)
      : seat_(seat),
        handshake_(handshake),
        session_(seat.io(), std::move(below), seat.options(), MuxSide::server, this) {}

  MuxSession& session() { return session_; }

 private:
  void accepted(std::unique_ptr<MuxStream> stream) override {
    handshake_.leave();
    seat_.above().deliver(std::move(stream));
  }

  Seat& seat_;
  HandshakeGate::Slot& handshake_;
  MuxSession session_;
};

Task<> MuxListener::Seat::serve(std::unique_ptr<Stream> stream) {
  Scope scope(co_await this_scope());
  const SocketAddress client = stream->remote();
  HandshakeGate::Slot handshake;
  above().enter_handshake(handshake, scope);
  auto error = co_await in_scope(scope, serve(std::move(stream), handshake));
  if (handshake.dropped())
    above().accept_failed({Cause::exhausted, "dropped a connection without a stream: too many of them"}, {});
  if (error && worth_telling(*error)) above().warn(client, error->text);
}

Task<Result<>> MuxListener::Seat::upgrade(std::unique_ptr<Stream>& stream) {
  const StreamUpgrade* layer = listener_.below_->upgrade();
  if (layer == nullptr) co_return Result<>();
  auto upgraded = co_await layer->upgrade(io(), std::move(stream));
  if (!upgraded) co_return fail(std::move(upgraded.error()));
  stream = std::move(*upgraded);
  co_return Result<>();
}

Task<std::optional<Error>> MuxListener::Seat::serve(std::unique_ptr<Stream> stream, HandshakeGate::Slot& handshake) {
  if (auto upgraded = co_await upgrade(stream); !upgraded) co_return std::move(upgraded.error());
  if (!accepts_) co_return std::nullopt;
  Connection connection(*this, handshake, std::move(stream));
  connections_.push_back(connection);
  co_return co_await connection.session().run();
}

void MuxListener::Seat::accepting_ended() {
  accepts_ = false;
  connections_.for_each([](Connection& connection) { connection.session().end_when_idle(); });
}

MuxListener::MuxListener(std::unique_ptr<Listener> below, const MuxOptions& options)
    : below_(std::move(below)), options_(for_transport(options)) {}

MuxListener::~MuxListener() = default;

void MuxListener::seat(std::vector<ListenerSeat> seats) {
  std::vector<ListenerSeat> below;
  for (const ListenerSeat& seat : seats) {
    seats_.push_back(std::make_unique<Seat>(*this, seat));
    below.push_back({seat.io, seats_.back().get()});
  }
  below_->seat(std::move(below));
}

Task<> MuxListener::accept(std::size_t seat) {
  co_await below_->accept(seat);
  seats_[seat]->accepting_ended();
}

}  // namespace gost
