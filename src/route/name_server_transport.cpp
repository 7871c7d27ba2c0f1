#include "route/name_server_transport.hpp"

#include "route/peer_datagram.hpp"

namespace gost {

namespace {

Task<Result<std::unique_ptr<Datagram>>> open_to(std::shared_ptr<const Router> router, IoContext& io, Endpoint to) {
  auto way = co_await router->open_datagram_to(io, std::move(to), Requester());
  if (!way) co_return fail(std::move(way.error()));
  co_return std::make_unique<PeerDatagram>(std::move(way->datagrams), way->peer);
}

}  // namespace

NameServerTransport transport_through(std::shared_ptr<const Router> router) {
  NameServerTransport transport;
  transport.open_stream = [router](IoContext& io, Endpoint to) {
    return router->dial(io, std::move(to), Requester());
  };
  transport.open_datagram = [router](IoContext& io, Endpoint to) { return open_to(router, io, std::move(to)); };
  return transport;
}

}  // namespace gost
