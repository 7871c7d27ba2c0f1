// Every class of cases of RFC 6455: what a peer may send and what it may not, at either end, in one piece and byte by
// byte.
#include "ws/testing/pair.hpp"

#include <cerrno>

namespace gost::ws {
namespace {

using testing::frame;
using testing::Lone;

/// One frame that a peer sends.
struct Sent {
  std::string raw;  ///< instead of all of the others
  Opcode opcode = Opcode::binary;
  std::string payload;
  bool fin = true;
  bool rsv1 = false;
};

struct Case {
  const char* name;
  std::vector<Sent> frames;
  std::string read;          ///< what the stream yields
  std::string answered;      ///< frames, in hex
  std::string error = {};    ///< which rule is broken; empty: none
  std::string failure = {};  ///< what the peer says of itself; empty: nothing
};

Sent binary(std::string payload) {
  return {.payload = std::move(payload)};
}
Sent text(std::string payload) {
  return {.opcode = Opcode::text, .payload = std::move(payload)};
}
Sent begins(std::string payload) {
  return {.payload = std::move(payload), .fin = false};
}
Sent goes_on(std::string payload) {
  return {.opcode = Opcode::continuation, .payload = std::move(payload), .fin = false};
}
Sent ends(std::string payload) {
  return {.opcode = Opcode::continuation, .payload = std::move(payload)};
}
Sent ping(std::string payload) {
  return {.opcode = Opcode::ping, .payload = std::move(payload)};
}
Sent pong(std::string payload) {
  return {.opcode = Opcode::pong, .payload = std::move(payload)};
}
Sent close_frame(std::string payload) {
  return {.opcode = Opcode::close, .payload = std::move(payload)};
}
Sent raw(const char* hex) {
  return {.raw = std::string(as_text(*from_hex(hex)))};
}

std::string closing(int code, const std::string& reason = {}) {
  return {std::string{static_cast<char>(code >> 8), static_cast<char>(code)} + reason};
}
std::string close_answer(int code, const std::string& reason = {}) {
  return "close " + to_hex(as_bytes(closing(code, reason)));
}
std::string hex(const std::string& bytes) {
  return to_hex(as_bytes(bytes));
}
std::string many(std::size_t size) {
  return std::string(as_text(testing::noise(size, 7)));
}

std::vector<Case> cases() {
  std::vector<Case> all{
      {"text is as good as binary, and need not be UTF-8",
       {text("\xff\xfe"), binary("b")},
       "\xff\xfe"
       "b",
       ""},
      {"an empty message", {binary(""), binary("a"), text("")}, "a", ""},
      {"two fragments", {begins("ab"), ends("cd")}, "abcd", ""},
      {"many fragments, some of them empty",
       {begins(""), goes_on("a"), goes_on(""), goes_on("b"), ends("")},
       "ab",
       ""},
      {"a ping between fragments", {begins("a"), ping("x"), goes_on("b"), pong("y"), ends("c")}, "abc", "pong 78"},
      {"an empty ping", {ping("")}, "", "pong "},
      {"the longest ping", {ping(std::string(125, 'p'))}, "", "pong " + hex(std::string(125, 'p'))},
      {"pings in a row are answered in their order",
       {ping("1"), ping("2"), binary("x"), ping("3")},
       "x",
       "pong 31 | pong 32 | pong 33"},
      {"a pong that nobody asked for", {pong("?"), binary("a")}, "a", ""},
      {"a Close is answered with its code",
       {binary("a"), close_frame(closing(1000, "bye"))},
       "a",
       close_answer(1000)},
      {"a Close of one who goes away", {close_frame(closing(1001, "bye"))}, "", close_answer(1001)},
      {"a Close of an application", {close_frame(closing(4321))}, "", close_answer(4321), "", "closed with 4321"},
      {"a Close with a reason",
       {binary("a"), close_frame(closing(1011, "backend died")), binary("late")},
       "a",
       close_answer(1011),
       "",
       "closed with 1011: backend died"},
      {"an empty Close is answered with an empty one", {close_frame("")}, "", "close "},
      {"the longest Close", {close_frame(closing(1001, std::string(123, 'r')))}, "", close_answer(1001)},
      {"a Close within a message",
       {begins("a"), close_frame(closing(1001, "bye"))},
       "a",
       close_answer(1001),
       "",
       "closed with 1001 within a message: bye"},
      {"an empty Close within a message",
       {begins("a"), close_frame("")},
       "a",
       "close ",
       "",
       "closed within a message"},
      {"nothing counts behind a Close",
       {close_frame(closing(1000)), binary("late"), ping("late")},
       "",
       close_answer(1000)},
      {"a reason that is not UTF-8 is nobody's business",
       {close_frame(closing(1000, "\xff"))},
       "",
       close_answer(1000)},

      {"a continuation of nothing", {ends("a")}, "", "", "continuation after FIN"},
      {"a continuation behind a whole message", {binary("a"), goes_on("b")}, "a", "", "continuation after FIN"},
      {"a message within a message", {begins("a"), binary("b")}, "a", "", "data before FIN"},
      {"a beginning within a message", {begins("a"), begins("b")}, "a", "", "data before FIN"},
      {"a fragmented ping",
       {{.opcode = Opcode::ping, .payload = "a", .fin = false}},
       "",
       "",
       "FIN not set on control"},
      {"a fragmented Close", {{.opcode = Opcode::close, .fin = false}}, "", "", "FIN not set on control"},
      {"a ping of 126 bytes", {ping(std::string(126, 'x'))}, "", "", "len > 125 for control"},
      {"a Close of 126 bytes", {close_frame(closing(1000, std::string(124, 'x')))}, "", "", "len > 125 for control"},
      {"RSV1 without an extension", {{.payload = "a", .rsv1 = true}}, "", "", "RSV1 set"},
      {"RSV1 on a ping", {{.opcode = Opcode::ping, .rsv1 = true}}, "", "", "RSV1 set"},
      {"what comes before the mistake is read",
       {binary("good"), ping("p"), ends("bad")},
       "good",
       "pong 70",
       "continuation after FIN"},
      {"a Close of one byte", {close_frame("x")}, "", "", "bad close payload"},
  };
  for (std::size_t size : {0U, 1U, 125U, 126U, 127U, 128U, 4096U, 65'535U, 65'536U, 65'537U, 300'000U}) {
    all.push_back({"a message of this size", {binary(many(size)), binary("end")}, many(size) + "end", ""});
    all.push_back({"fragments of this size",
                   {begins(many(size)), ping("between"), ends(many(size))},
                   many(size) + many(size),
                   "pong " + hex("between")});
  }
  for (int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15})
    all.push_back({"a reserved opcode",
                   {{.opcode = static_cast<Opcode>(opcode)}},
                   "",
                   "",
                   "bad opcode " + std::to_string(opcode)});
  for (int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65'535})
    all.push_back({"a code that may not travel",
                   {close_frame(closing(code))},
                   "",
                   "",
                   "bad close code " + std::to_string(code)});
  return all;
}

/// Those whose head cannot be written by the encoder; the mask bit is that of the right side.
std::vector<Case> raw_cases(Role to) {
  const bool masks = to == Role::server;
  std::vector<Case> all{
      {"RSV2", {raw(masks ? "a28011223344" : "a200")}, "", "", "RSV2 set"},
      {"RSV3", {raw(masks ? "928011223344" : "9200")}, "", "", "RSV3 set"},
      {"125 in two bytes", {raw(masks ? "82fe007d11223344" : "827e007d")}, "", "", "length not in its shortest form"},
      {"65535 in eight bytes",
       {raw(masks ? "82ff000000000000ffff11223344" : "827f000000000000ffff")},
       "",
       "",
       "length not in its shortest form"},
      {"a length of 64 bits",
       {raw(masks ? "82ff800000000000000011223344" : "827f8000000000000000")},
       "",
       "",
       "length over 63 bits"},
      {"the wrong side masks", {raw(masks ? "820161" : "82811122334470")}, "", "", "bad MASK"},
      {"the wrong side masks an empty ping", {raw(masks ? "8900" : "898011223344")}, "", "", "bad MASK"},
  };
  return all;
}

void check(const Case& it, Role to, std::size_t piece) {
  Lone lone(to);
  const bool server = to == Role::server;
  std::string bytes;
  for (const Sent& sent : it.frames)
    bytes += sent.raw.empty()
                 ? frame(to, FrameHeader{.opcode = sent.opcode, .fin = sent.fin, .rsv1 = sent.rsv1}, sent.payload)
                 : sent.raw;
  std::string read;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    lone.put(bytes.substr(at, piece));
    read += lone.get();
  }
  read += lone.get();
  EXPECT_TRUE(read == it.read) << read.size() << " bytes";
  const std::string heard = lone.heard();
  const std::string close = it.error.empty() ? "" : close_answer(1002, it.error);
  EXPECT_EQ(heard, it.answered + (it.answered.empty() || close.empty() ? "" : " | ") + close);
  if (!it.error.empty()) {
    EXPECT_EQ(lone.last.status, IoResult::Status::error);
    EXPECT_EQ(lone.error(),
              std::string("websocket: the ") + (server ? "client" : "server") + " broke the protocol: " + it.error);
    EXPECT_TRUE(lone.end->ready(Interest::read) && lone.end->ready(Interest::write));
    EXPECT_EQ(lone.end->try_write(as_bytes("x")).status, IoResult::Status::error);
  } else if (!it.failure.empty()) {
    EXPECT_EQ(lone.last.error, ECONNRESET);
    EXPECT_EQ(lone.error(), std::string("websocket: the ") + (server ? "client " : "server ") + it.failure);
    EXPECT_EQ(lone.end->error(ECONNRESET).cause, Cause::reset);
    EXPECT_EQ(lone.end->try_write(as_bytes("x")).error, ECONNRESET);
    EXPECT_FALSE(lone.end->closed());
  } else if (it.answered.find("close") != std::string::npos) {
    EXPECT_EQ(lone.last.status, IoResult::Status::eof);
    EXPECT_EQ(lone.end->try_write(as_bytes("x")).error, EPIPE) << "no data behind a Close";
    EXPECT_TRUE(lone.end->closed());
  } else {
    EXPECT_EQ(lone.last.status, IoResult::Status::would_block);
    EXPECT_EQ(lone.io.buffers.kept(), 1U) << "nothing is held";
  }
}

TEST(WsConformance, EveryCaseAtBothEndsWholeAndInPieces) {
  for (Role to : {Role::server, Role::client}) {
    std::vector<Case> all = cases();
    for (Case& it : raw_cases(to)) all.push_back(std::move(it));
    for (const Case& it : all) {
      for (std::size_t piece : {std::size_t{60'000}, std::size_t{7}, std::size_t{1}}) {
        if (it.read.size() > 1000 * piece) continue;
        SCOPED_TRACE(std::string(it.name) + ", " + std::to_string(it.read.size()) + " bytes, to the " +
                     (to == Role::server ? "server" : "client") + " in pieces of " + std::to_string(piece));
        check(it, to, piece);
      }
    }
  }
}

}  // namespace
}  // namespace gost::ws
