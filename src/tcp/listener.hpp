// The `tcp` listener, and with an upgrade `tls`: accepts on every loop and spreads connections evenly over them.
#pragma once

#include "component/listener.hpp"
#include "net/tcp.hpp"

#include <optional>

namespace gost {

class TcpListener final : public Listener {
 public:
  /// `upgrade` is done on each accepted connection; null: nothing.
  explicit TcpListener(std::string address, const ListenOptions& options = {},
                       std::shared_ptr<const StreamUpgrade> upgrade = nullptr)
      : requested_(std::move(address)), options_(options), upgrade_(std::move(upgrade)) {}

  Result<> bind(std::size_t loops) override;
  SocketAddress address() const override { return socket_->local(); }
  std::string network() const override { return "tcp"; }
  void seat(std::vector<ListenerSeat> seats) override { seats_ = std::move(seats); }
  Task<> accept(std::size_t seat) override;
  const StreamUpgrade* upgrade() const override { return upgrade_.get(); }
  void close() override { socket_.reset(); }

 private:
  /// Accepts what is there, up to a fair number. Returns the error that makes it necessary to pause.
  std::optional<Error> accept_some(std::size_t here, IoWatch& watch);
  void place(std::size_t here, Accepted accepted);
  static void adopt(ListenerSeat& seat, Accepted accepted, ConnectionToken token);

  std::string requested_;
  ListenOptions options_;
  std::shared_ptr<const StreamUpgrade> upgrade_;
  std::optional<TcpListenSocket> socket_;
  std::vector<ListenerSeat> seats_;
};

}  // namespace gost
