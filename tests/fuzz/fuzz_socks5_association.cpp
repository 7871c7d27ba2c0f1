// Everybody who sends to the relay of a UDP association. An input is a row of datagrams: who sends it (the client,
// its neighbour behind the same address, a stranger, a target), seconds since the last one, size, and so many bytes.
#include "expect.hpp"

#include "component/testing/scripted_datagram.hpp"
#include "net/memory_pipe.hpp"
#include "runtime/task_group.hpp"
#include "socks5/association.hpp"
#include "socks5/udp_relay.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace {

using namespace gost;
using gost::testing::DatagramScript;
using gost::testing::Packet;
using gost::testing::ScriptedDatagram;

constexpr std::size_t kLimit = 120;
/// Never at the same moment as a step, which are whole seconds apart.
constexpr Duration kIdle = std::chrono::milliseconds(60'500);
const IpAddress kForbidden = IpAddress::v4({10, 0, 0, 1});
const SocketAddress kClient{IpAddress::v4({127, 0, 0, 1}), 1};

/// Names of an even length exist, after a while.
class SomeNames final : public Router {
 public:
  Task<Result<std::unique_ptr<Stream>>> dial(IoContext&, Endpoint, Requester) const override {
    co_return fail(Cause::other, "no streams here");
  }
  Task<Result<std::unique_ptr<Datagram>>> open_datagram(IoContext&, Requester) const override {
    co_return fail(Cause::other, "no datagrams here");
  }
  Task<Result<DatagramWay>> open_datagram_to(IoContext&, Endpoint, Requester) const override {
    co_return fail(Cause::other, "no datagrams here");
  }
  Task<Result<IpAddress>> resolve(IoContext&, std::string host) const override {
    if (Outcome outcome = co_await sleep_for(std::chrono::milliseconds(700)); outcome != Outcome::ready)
      co_return fail(stop_error(outcome));
    if (host.size() % 2 != 0) co_return fail(Cause::host_unreachable, "no such host");
    co_return IpAddress::v4({192, 0, 2, static_cast<std::uint8_t>(host.size())});
  }
  bool forbids(Network, std::string_view host, std::uint16_t) const override {
    return host == kForbidden.to_string() || host == "evil";
  }
};

struct Step {
  std::uint8_t who;
  Duration wait;
  std::string payload;
};

std::vector<Step> steps_of(Bytes input) {
  std::vector<Step> steps;
  ByteReader reader(input);
  while (reader.remaining() >= 3) {
    Step step{.who = static_cast<std::uint8_t>(reader.u8() % 4), .wait = std::chrono::seconds(reader.u8() % 8)};
    std::size_t wanted = reader.u8();
    step.payload = as_text(reader.bytes(std::min(wanted, reader.remaining())));
    steps.push_back(std::move(step));
  }
  return steps;
}

Task<> relay(Session& session, const Router& router, std::unique_ptr<Datagram> socket,
             std::unique_ptr<Datagram> outbound) {
  socks5::Drops drops(kLimit, session);
  socks5::Association client(std::move(socket), {.ip = kClient.ip()}, session, drops);
  socks5::UdpRelay relay(co_await this_scope(), session, router, client, *outbound, session.client.get(), drops,
                         {.idle_timeout = kIdle});
  std::ignore = co_await relay.run();
}

/// Takes the steps while the relay runs; strangers do not keep it from ending. The rest is taken out.
Task<> play(std::vector<Step>& steps, DatagramScript& client, DatagramScript& targets, Task<> served) {
  TaskGroup group(co_await this_scope());
  group.spawn(std::move(served));
  std::size_t taken = 0;
  for (const Step& step : steps) {
    if (step.wait > Duration::zero()) co_await sleep_for(step.wait);
    if (group.running() == 0) break;
    ++taken;
    SocketAddress from = kClient;
    if (step.who == 1) from = SocketAddress(kClient.ip(), 2);
    if (step.who == 2) from = SocketAddress(IpAddress::v4({127, 0, 0, 2}), 1);
    if (step.who == 3) from = SocketAddress(IpAddress::v4({8, 8, 8, 8}), 53);
    (step.who == 3 ? targets : client).put({from, "", step.payload});
  }
  steps.resize(taken);
  co_await group.join();  // by the idle time
}

/// Who the client is: the first at its address who sent something well-formed.
std::optional<SocketAddress> pinned(const std::vector<Step>& steps) {
  for (const Step& step : steps)
    if (step.who < 2 && step.payload.size() <= kLimit && socks5::decode_udp_header(as_bytes(step.payload)))
      return SocketAddress(kClient.ip(), static_cast<std::uint16_t>(step.who + 1));
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static IoContext io(Loop::Time::simulated);
  static const ConnectionLoggers loggers;
  auto steps = steps_of({data, size});
  SomeNames router;
  auto client = std::make_shared<DatagramScript>();
  auto targets = std::make_shared<DatagramScript>();
  auto [near, far] = make_memory_pipe();
  Session session(io, std::move(near), ConnectionRecord(loggers, "tcp", kClient, {}, Sid(), io.loop.now()));
  io.loop.run(play(steps, *client, *targets,
                   relay(session, router, std::make_unique<ScriptedDatagram>(client),
                         std::make_unique<ScriptedDatagram>(targets))));

  auto who = pinned(steps);
  for (const Packet& packet : client->sent) {
    fuzz::expect(who && packet.peer == *who, "only the client is sent to");
    auto header = socks5::decode_udp_header(as_bytes(packet.payload));
    fuzz::expect(header && header->reserved == 0 && header->fragment == 0, "with a header as it has to be");
    fuzz::expect(header->address.peer.port() == 53, "that tells the source");
  }
  for (const Packet& packet : targets->sent) {
    fuzz::expect(packet.peer.port() != 0 && packet.name.empty(), "destinations are whole addresses");
    fuzz::expect(packet.peer.ip() != kForbidden, "rules are kept");
  }
  const DatagramCounters& counted = session.datagrams;
  fuzz::expect(counted.to_client == client->sent.size(), "what was sent to the client is counted");
  fuzz::expect(targets->sent.size() <= counted.from_client, "nothing is sent that did not come");
  fuzz::expect(targets->sent.size() + client->sent.size() + counted.dropped <= steps.size(),
               "no datagram is counted twice");
  bool fragments = std::ranges::any_of(
      steps, [](const Step& step) { return step.who < 3 && step.payload.size() > 2 && step.payload[2] != 0; });
  if (!fragments)
    fuzz::expect(targets->sent.size() + client->sent.size() + counted.dropped == steps.size(), "none gets lost");
  return 0;
}
