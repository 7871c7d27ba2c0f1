// For the connector targets: the fuzzer's bytes play a proxy over memory pipes, in simulated time. The connector must
// come to an end, do the same however the proxy's bytes are cut, and leave to the target what is the target's.
#pragma once

#include "expect.hpp"

#include "component/connector.hpp"
#include "component/testing/scripted_datagram.hpp"
#include "net/memory_pipe.hpp"
#include "net/stream_io.hpp"
#include "runtime/task_group.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace gost::fuzz {

/// What happens besides the proxy's bytes; made of the first three bytes of an input.
struct ProxyScript {
  static constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
  enum class Wish : std::uint8_t { stream, datagrams };
  enum class End : std::uint8_t { fin, silence, reset };

  Wish wish;             ///< of the connector
  std::uint8_t variant;  ///< which connector
  End end;               ///< what the proxy does after its last byte
  std::size_t segment;   ///< bytes that the proxy sends at once
  std::size_t fail_at;   ///< step at which the connector's first stream breaks
  std::size_t first;     ///< bytes for the first stream; the others get the rest

  ProxyScript(std::uint8_t one, std::uint8_t two, std::uint8_t three) {
    static constexpr std::array kEnd{End::fin, End::silence, End::reset, End::fin};
    wish = (one & 1) == 0 ? Wish::stream : Wish::datagrams;
    variant = (one >> 1) & 3;
    end = kEnd[(one >> 4) & 3];
    segment = (two & 15) == 0 ? kNever : two & 15;
    fail_at = (two >> 4) == 0 ? kNever : static_cast<std::size_t>(two >> 4) - 1;
    first = three;
  }
  /// Nothing that depends on the moment: the conversation is the same in any segmentation.
  bool orderly() const { return end != End::reset && fail_at == kNever; }
};

/// A proxy that says what it says, whatever it is asked.
class FuzzProxy final : public Underlay {
 public:
  FuzzProxy(TaskGroup& group, const ProxyScript& script, Bytes bytes)
      : group_(group), script_(script), bytes_(bytes) {}

  Task<Result<std::unique_ptr<Stream>>> open_stream() override {
    std::size_t first = std::min(script_.first, bytes_.size());
    Bytes words = opened_++ == 0 ? bytes_.first(first) : bytes_.subspan(first);
    auto [near, far] = make_memory_pipe({.fail_at = script_.fail_at});
    group_.spawn(speak(std::move(far), words, script_));
    co_return std::move(near);
  }
  Task<Result<std::unique_ptr<Datagram>>> open_datagram(SocketAddress peer) override {
    relay_ = peer;
    co_return std::make_unique<testing::ScriptedDatagram>(datagrams);
  }
  const Endpoint& proxy() const override { return address_; }

  const SocketAddress& relay() const { return relay_; }
  std::size_t opened() const { return opened_; }
  std::shared_ptr<testing::DatagramScript> datagrams = std::make_shared<testing::DatagramScript>();

 private:
  static Task<> speak(std::unique_ptr<Stream> stream, Bytes words, ProxyScript script) {
    while (!words.empty()) {
      Bytes piece = words.first(std::min(script.segment, words.size()));
      words = words.subspan(piece.size());
      if (auto sent = co_await write_all(*stream, piece); !sent) co_return;
      if (co_await sleep_for(std::chrono::milliseconds(1)) != Outcome::ready) co_return;
    }
    if (script.end == ProxyScript::End::reset) stream->abort();
    if (script.end == ProxyScript::End::fin) stream->try_shutdown();
    if (script.end != ProxyScript::End::reset) co_await sleep_for(std::chrono::hours(1));
  }

  TaskGroup& group_;
  const ProxyScript& script_;
  Bytes bytes_;
  Endpoint address_{"192.0.2.1", 1080};
  SocketAddress relay_;
  std::size_t opened_ = 0;
};

/// What came of it.
struct ProxyTalk {
  std::string error;                  ///< empty: success
  std::string rest;                   ///< with a stream: what the target said
  std::vector<std::string> received;  ///< with datagrams: what came
  std::size_t opened = 0;
};

inline Task<> take_rest(Stream& stream, std::string& rest) {
  std::array<std::uint8_t, 4096> buffer;
  for (;;) {
    auto count = co_await with_deadline(std::chrono::seconds(20), read_some(stream, buffer));
    if (!count || *count == 0) co_return;
    rest += as_text(Bytes(buffer).first(*count));
  }
}

inline Task<> take_datagrams(IoContext& io, Datagram& datagram, std::vector<std::string>& received) {
  for (;;) {
    IoResult result = datagram.try_receive(io.datagrams);
    if (result.status == IoResult::Status::ok) {
      for (const auto& item : io.datagrams.items()) received.emplace_back(as_text(item.payload));
    } else if (result.status != IoResult::Status::would_block) {
      co_return;
    } else if (co_await datagram.until(Interest::read) != Outcome::ready) {
      co_return;
    }
  }
}

inline Task<> converse(IoContext& io, const Connector& connector, const ProxyScript& script, Bytes bytes,
                       ProxyTalk& talk) {
  TaskGroup group(co_await this_scope());
  FuzzProxy proxy(group, script, bytes);
  if (script.wish == ProxyScript::Wish::stream) {
    Endpoint target{"example.com", 80};
    auto stream = co_await connector.connect(io, proxy, std::move(target));
    if (stream) {
      co_await take_rest(**stream, talk.rest);
    } else {
      talk.error = stream.error().text;
      expect(!talk.error.empty(), "a failure has a reason");
    }
  } else {
    auto datagram = co_await connector.open_datagram(io, proxy);
    if (datagram) {
      const OutgoingDatagram out{.peer = SocketAddress(IpAddress::v4({127, 0, 0, 1}), 53), .payload = bytes};
      std::ignore = (*datagram)->try_send({&out, 1});
      // The proxy's words once more, as a datagram of its relay.
      proxy.datagrams->put({proxy.relay(), "", std::string(as_text(bytes))});
      co_await with_deadline(std::chrono::seconds(20), take_datagrams(io, **datagram, talk.received));
    } else {
      talk.error = datagram.error().text;
      expect(!talk.error.empty(), "a failure has a reason");
    }
  }
  talk.opened = proxy.opened();
  group.stop();
  co_await group.join();
}

inline ProxyTalk play_proxy(const Connector& connector, const ProxyScript& script, Bytes bytes) {
  static IoContext io(Loop::Time::simulated);
  ProxyTalk talk;
  TimePoint start = io.loop.now();
  io.loop.run(converse(io, connector, script, bytes, talk));
  expect(io.loop.now() - start < std::chrono::minutes(2), "the connector comes to an end");
  return talk;
}

/// Plays one input against the connectors that `choose(variant)` yields, one for each time it is played.
template <class Choose>
void play_connector(Bytes input, Choose choose) {
  if (input.size() < 3) return;
  ProxyScript script(input[0], input[1], input[2]);
  input = input.subspan(3);
  ProxyTalk cut = play_proxy(*choose(script.variant), script, input);
  expect(cut.opened <= 2, "a request takes one stream, and datagrams a second one at most");
  if (!script.orderly()) return;
  script.segment = ProxyScript::kNever;
  ProxyTalk whole = play_proxy(*choose(script.variant), script, input);
  expect(whole.error == cut.error, "the segmentation does not change what happens");
  expect(whole.rest == cut.rest && whole.received == cut.received, "the segmentation does not change what arrives");
  if (script.wish != ProxyScript::Wish::stream || !whole.error.empty()) return;
  Bytes words = input.first(std::min(script.first, input.size()));
  expect(as_text(words).ends_with(whole.rest), "what follows the answers belongs to the target");
}

}  // namespace gost::fuzz
