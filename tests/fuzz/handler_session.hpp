// For the handler targets: the fuzzer's bytes play a client over a memory pipe, in simulated time. The handler must
// come to an end, say nothing but well-formed replies, and behave the same however the client's bytes are cut.
#pragma once

#include "expect.hpp"

#include "component/router.hpp"
#include "component/session.hpp"
#include "net/memory_pipe.hpp"
#include "net/stream_io.hpp"
#include "observe/log_capture.hpp"
#include "policy/auther.hpp"
#include "runtime/task_group.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <limits>
#include <string>

namespace gost::fuzz {

/// What happens besides the client's bytes; made of the first two bytes of an input.
struct Script {
  static constexpr std::size_t kNever = std::numeric_limits<std::size_t>::max();
  enum class End : std::uint8_t { fin, silence, reset };

  bool authenticated;   ///< the handler has an auther
  Cause dial;           ///< how dialing fails; Cause::other: it succeeds
  End end;              ///< what the client does after its last byte
  std::size_t segment;  ///< bytes that the client sends at once
  std::size_t fail_at;  ///< step at which the client's connection breaks

  Script(std::uint8_t first, std::uint8_t second) {
    static constexpr std::array kDial{Cause::other,
                                      Cause::other,
                                      Cause::other,
                                      Cause::refused,
                                      Cause::denied,
                                      Cause::timeout,
                                      Cause::host_unreachable,
                                      Cause::eof};
    static constexpr std::array kEnd{End::fin, End::silence, End::reset, End::fin};
    authenticated = (first & 1) != 0;
    dial = kDial[(first >> 1) & 7];
    end = kEnd[(first >> 4) & 3];
    segment = (second & 15) == 0 ? kNever : second & 15;
    fail_at = (second >> 4) == 0 ? kNever : static_cast<std::size_t>(second >> 4) - 1;
  }

  /// Nothing that depends on the moment: the conversation is the same in any segmentation.
  bool orderly() const { return end != End::reset && fail_at == kNever; }
};

struct Conversation {
  std::string to_client;
  std::string to_target;
  std::size_t dials = 0;
};

inline constexpr std::string_view kBanner = "220 hello\r\n";

/// Accepts "user" with "pass", and "bob" with no password.
inline std::shared_ptr<const Authenticator> some_users() {
  return std::make_shared<UserList>(std::vector<User>{{"user", "pass"}, {"bob", ""}});
}

/// Its targets say kBanner, take what comes, and leave when nothing comes for a while.
class ScriptedRouter final : public Router {
 public:
  void begin(TaskGroup& group, const Script& script, Conversation& conversation) {
    group_ = &group;
    script_ = &script;
    conversation_ = &conversation;
  }

  Task<Result<std::unique_ptr<Stream>>> dial(IoContext&, Endpoint, Requester) const override {
    ++conversation_->dials;
    if (script_->dial == Cause::timeout) co_await sleep_for(std::chrono::seconds(15));
    if (script_->dial != Cause::other) co_return fail(script_->dial, "dial failed");
    auto [near, far] = make_memory_pipe();
    group_->spawn(play_target(std::move(far), conversation_->to_target));
    co_return std::move(near);
  }
  Task<Result<std::unique_ptr<Datagram>>> open_datagram(IoContext&, Requester) const override {
    co_return fail(Cause::other, "no datagrams here");
  }
  Task<Result<DatagramWay>> open_datagram_to(IoContext&, Endpoint, Requester) const override {
    co_return fail(Cause::other, "no datagrams here");
  }
  Task<Result<IpAddress>> resolve(IoContext&, std::string host) const override {
    co_return fail(Cause::host_unreachable, "lookup " + host + ": no such host");
  }
  bool forbids(Network, std::string_view, std::uint16_t) const override { return false; }

 private:
  static Task<> play_target(std::unique_ptr<Stream> stream, std::string& received) {
    co_await write_all(*stream, as_bytes(kBanner));
    std::array<std::uint8_t, 4096> buffer;
    for (;;) {
      auto count = co_await with_deadline(std::chrono::seconds(20), read_some(*stream, buffer));
      if (!count || *count == 0) co_return;
      received += as_text(Bytes(buffer).first(*count));
    }
  }

  TaskGroup* group_ = nullptr;
  const Script* script_ = nullptr;
  Conversation* conversation_ = nullptr;
};

/// Looks at every line that the conversation logs.
class LineCheck final : public LineSink {
 public:
  void append(std::string_view line) override {
    expect(line.ends_with('\n') && line.find('\n') == line.size() - 1, "a log line is one line");
    expect(nlohmann::json::accept(line), "a log line is JSON");
  }
};

inline Task<> play_client(std::unique_ptr<Stream> stream, Bytes input, const Script& script, std::string& received) {
  constexpr std::size_t kMaxSegments = 600;  // longer than any handshake
  for (std::size_t segments = 1; !input.empty(); ++segments) {
    Bytes piece = input.first(segments < kMaxSegments ? std::min(script.segment, input.size()) : input.size());
    input = input.subspan(piece.size());
    if (auto sent = co_await write_all(*stream, piece); !sent) break;
    co_await sleep_for(std::chrono::milliseconds(1));
  }
  if (script.end == Script::End::reset) {
    stream->abort();
    co_return;
  }
  if (script.end == Script::End::fin) stream->try_shutdown();
  std::array<std::uint8_t, 4096> buffer;
  for (;;) {
    auto count = co_await read_some(*stream, buffer);
    if (!count || *count == 0) co_return;
    received += as_text(Bytes(buffer).first(*count));
  }
}

inline Task<> play_server(const Handler& handler, IoContext& io, std::unique_ptr<Stream> stream) {
  static const ConnectionLoggers loggers(
      Logger(std::make_shared<LineCheck>(), Level::trace, {}, [] { return WallTime(); }), "service-0", "tcp",
      "socks");
  Session session(io, std::move(stream), ConnectionRecord(loggers, "tcp", {}, {}, Sid(), io.loop.now()));
  session.record.accepted();
  auto result = co_await handler.handle(session);
  if (!result) session.record.failed(result.error());
  session.record.finished(session.bytes.from_a, session.bytes.from_b, io.loop.now());
}

inline Conversation converse(const Handler& handler, ScriptedRouter& router, Bytes input, const Script& script) {
  static IoContext io(Loop::Time::simulated);
  Conversation conversation;
  auto play = [&]() -> Task<> {
    TaskGroup group(co_await this_scope());
    router.begin(group, script, conversation);
    auto [server, client] = make_memory_pipe({.fail_at = script.fail_at});
    group.spawn(play_server(handler, io, std::move(server)));
    group.spawn(play_client(std::move(client), input, script, conversation.to_client));
    co_await group.join();
  };
  TimePoint start = io.loop.now();
  io.loop.run([](auto& body) -> Task<> { co_await with_deadline(std::chrono::hours(1), body()); }(play));
  expect(io.loop.now() - start < std::chrono::minutes(2), "the handler comes to an end");
  return conversation;
}

/// Length of the handshake at the front of what a client sent and was granted, and whether the answers to it, before
/// kBanner, are well-formed. `granted` tells if the last answer was a success.
struct Verdict {
  bool well_formed = false;
  bool granted = false;
  std::size_t handshake = 0;
};

inline bool same_beginning(std::string_view a, std::string_view b) {
  return a.starts_with(b) || b.starts_with(a);
}

/// Plays one input. `judge(sent, received, authenticated)` knows the protocol.
template <class Judge>
void play(Bytes input, const Handler& open, const Handler& closed, ScriptedRouter& router, Judge judge) {
  if (input.size() < 2) return;
  Script script(input[0], input[1]);
  input = input.subspan(2);
  const Handler& handler = script.authenticated ? closed : open;
  Script plain = script;
  plain.segment = plain.fail_at = Script::kNever;
  Conversation whole = converse(handler, router, input, plain);
  Conversation cut = converse(handler, router, input, script);

  expect(whole.dials <= 1 && cut.dials <= 1, "a request is dialed once");
  if (!script.orderly()) {
    expect(same_beginning(whole.to_client, cut.to_client), "a broken connection only cuts off what the client gets");
    expect(same_beginning(whole.to_target, cut.to_target), "a broken connection only cuts off what the target gets");
    return;
  }
  expect(whole.to_client == cut.to_client, "the segmentation does not change what the client gets");
  expect(whole.to_target == cut.to_target, "the segmentation does not change what the target gets");
  std::string_view answers = whole.to_client;
  Verdict verdict = judge(as_text(input), answers, script.authenticated);
  expect(verdict.well_formed, "answers are well-formed");
  expect(verdict.granted == (whole.dials == 1 && script.dial == Cause::other), "granted is what was dialed");
  if (verdict.granted) expect(whole.to_target == as_text(input).substr(verdict.handshake), "the payload arrives");
}

}  // namespace gost::fuzz
