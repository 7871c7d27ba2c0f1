#include "ws/handshake.hpp"

#include "ws/extension.hpp"

#include <gtest/gtest.h>

namespace gost::ws {
namespace {

constexpr std::string_view kKey = "dGhlIHNhbXBsZSBub25jZQ==";
constexpr std::string_view kAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

RequestHead request(const std::string& target, const std::string& more = {}, const std::string& without = {}) {
  std::string text = "GET " + target + " HTTP/1.1\r\n";
  for (const std::string line : {"Host: h", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
                                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="})
    if (without.empty() || !line.starts_with(without)) text += line + "\r\n";
  return parse_request_head(as_bytes(text + more + "\r\n")).value();
}

TEST(WsAcceptKey, IsThatOfTheRfc) {
  EXPECT_EQ(accept_key(kKey), kAccept);
  EXPECT_EQ(make_key().size(), 24U);
  EXPECT_NE(make_key(), make_key());
}

TEST(WsRequest, HasItsFieldsInTheOrderOfGost) {
  ClientOptions options;
  options.host = "example.com:8080";
  EXPECT_EQ(make_request(options, kKey),
            "GET /ws HTTP/1.1\r\nHost: example.com:8080\r\nUser-Agent: Go-http-client/1.1\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n\r\n");
  options.compression = true;
  options.path = "/a b?ed=2048";
  options.headers =
      checked_headers(
          {{"x-token", "1"}, {"authorization", "Basic eA=="}, {"host", "front.example"}, {"User-agent", "curl"}},
          true)
          .value();
  EXPECT_EQ(
      make_request(options, kKey),
      "GET /a%20b%3Fed=2048 HTTP/1.1\r\nHost: front.example\r\nUser-Agent: curl\r\nAuthorization: Basic eA==\r\n"
      "Connection: Upgrade\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; "
      "client_no_context_takeover\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\nX-Token: 1\r\n\r\n");
}

TEST(WsHeaders, NothingInThemBreaksTheHead) {
  for (bool client : {true, false}) {
    for (const HttpField& field : std::vector<HttpField>{{"X-A", "1\r\nEvil: 1"},
                                                         {"X-A", "1\n"},
                                                         {"X-A", std::string(1, '\0')},
                                                         {"X A", "1"},
                                                         {"X-A:", "1"},
                                                         {"", "1"},
                                                         {"X\r\nEvil", "1"},
                                                         {"upgrade", "h2c"},
                                                         {"CONNECTION", "close"}}) {
      auto checked = checked_headers({field}, client);
      ASSERT_FALSE(checked) << field.name;
      EXPECT_EQ(checked.error().cause, Cause::invalid);
    }
  }
  EXPECT_FALSE(checked_headers({{"sec-websocket-key", "x"}}, true));
  EXPECT_FALSE(checked_headers({{"Sec-WebSocket-Extensions", "x"}}, true));
  EXPECT_FALSE(checked_headers({{"Content-Length", "5"}}, false));
  for (const char* name : {"content-length", "Transfer-Encoding", "trailer"})
    EXPECT_FALSE(checked_headers({{name, "5"}}, true)) << name;
  EXPECT_EQ(checked_headers({{"sec-websocket-protocol", " chat "}}, true).value(),
            (std::vector<HttpField>{{"Sec-Websocket-Protocol", "chat"}}));
}

TEST(WsAnswer, IsThatOfGost) {
  auto accepted = answer_request(request("/ws"), {});
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->answer,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
  ServerOptions options;
  options.compression = true;
  options.headers = {{"X-Served-By", "gost"}};
  accepted = answer_request(
      request("/ws", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"), options);
  ASSERT_TRUE(accepted);
  EXPECT_TRUE(accepted->compression);
  EXPECT_TRUE(accepted->answer.ends_with(
      "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate; "
      "server_no_context_takeover; client_no_context_takeover\r\nX-Served-By: gost\r\n\r\n"));
  EXPECT_FALSE(answer_request(request("/ws"), options)->compression);
}

TEST(WsAnswer, WhatIsLetInAndWhatIsRefused) {
  struct Case {
    std::string target;
    std::string more;
    std::string without;
    unsigned status;  ///< 101: let in
  };
  for (const auto& [target, more, without, status] : {
           Case{"/ws", "", "", 101},
           Case{"/ws?a=b", "", "", 101},
           Case{"/%77s", "", "", 101},
           Case{"http://proxy.example:8080/ws", "", "", 101},
           Case{"http://proxy.example/ws?to=http://h/x", "", "", 101},
           Case{"http://proxy.example?x=/ws", "", "", 404},
           Case{"?x=http://h/ws", "", "", 400},
           Case{"/ws", "Origin: http://evil.example\r\nX-Other: 1\r\n", "", 101},
           Case{"/ws", "Connection: keep-alive, UPGRADE\r\n", "Connection", 101},
           Case{"/ws", "Connection: keep-alive\r\nConnection: upgrade\r\n", "Connection", 101},
           Case{"/ws", "Upgrade: WebSocket\r\n", "Upgrade", 101},
           Case{"/ws", "Content-Length: 0\r\n", "", 101},
           Case{"/", "", "", 404},
           Case{"/ws/", "", "", 404},
           Case{"/ws/x", "", "", 404},
           Case{"/x/../ws", "", "", 404},
           Case{"/WS", "", "", 404},
           Case{"/other", "", "Upgrade", 404},
           Case{"/%zz", "", "", 400},
           Case{"/%7", "", "", 400},
           Case{"*", "", "", 400},
           Case{"/ws", "", "Upgrade", 426},
           Case{"/ws", "", "Connection", 426},
           Case{"/ws", "Upgrade: h2c\r\n", "Upgrade", 426},
           Case{"/ws", "Sec-WebSocket-Version: 8\r\n", "Sec-WebSocket-Version", 426},
           Case{"/ws", "", "Sec-WebSocket-Version", 400},
           Case{"/ws", "", "Sec-WebSocket-Key", 400},
           Case{"/ws", "", "Host", 400},
           Case{"/ws", "Host: other\r\n", "", 400},
           Case{"/ws", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400},
           Case{"/ws", "Sec-WebSocket-Key: c2hvcnQ=\r\n", "Sec-WebSocket-Key", 400},
           Case{"/ws", "Sec-WebSocket-Key: ????????????????????????\r\n", "Sec-WebSocket-Key", 400},
           Case{"/ws", "Content-Length: 5\r\n", "", 400},
           Case{"/ws", "Transfer-Encoding: chunked\r\n", "", 400},
       }) {
    auto answered = answer_request(request(target, more, without), {});
    EXPECT_EQ(answered ? 101U : answered.error().status, status) << target << " " << more << " without " << without;
    if (answered || status == 101) continue;
    const std::string answer = refusal_answer(answered.error());
    auto head = find_head_end(as_bytes(answer));
    const std::size_t size = std::get<std::size_t>(head);
    auto parsed = parse_response_head(as_bytes(answer).first(size)).value();
    EXPECT_EQ(parsed.status, status);
    EXPECT_EQ(parsed.fields.first("Content-Length"), std::to_string(answer.size() - size));
    EXPECT_TRUE(parsed.fields.has_token("Connection", "close"));
    EXPECT_EQ(status == 426, parsed.fields.has_token("Upgrade", "websocket"));
  }
  RequestHead post = request("/ws");
  post.method = "POST";
  EXPECT_EQ(answer_request(post, {}).error().status, 405U);
  RequestHead old = request("/ws");
  old.version = 10;
  EXPECT_EQ(answer_request(old, {}).error().status, 400U);
}

TEST(WsAnswer, OfWhatTheClientWroteTheLogGetsLittle) {
  const std::string much(9'000, 'x');
  RequestHead post = request("/ws");
  post.method = much;
  for (const RequestHead& head :
       {request("/" + much), post,
        request("/ws", "Sec-WebSocket-Version: " + much + "\r\n", "Sec-WebSocket-Version")}) {
    const auto answered = answer_request(head, {});
    ASSERT_FALSE(answered);
    EXPECT_LT(answered.error().why.size(), 120U);
    EXPECT_NE(answered.error().why.find("xxx…"), std::string::npos) << answered.error().why;
  }
  EXPECT_EQ(answer_request(request("/" + std::string(63, 'x')), {}).error().why,
            "path /" + std::string(63, 'x') + " where /ws is served");
}

TEST(WsAnswer, APathThatEndsInASlashStandsForAllBelowIt) {
  ServerOptions options;
  options.path = "/tunnel/";
  EXPECT_TRUE(answer_request(request("/tunnel/a/b"), options));
  EXPECT_TRUE(answer_request(request("/tunnel/"), options));
  EXPECT_FALSE(answer_request(request("/tunnel"), options));
}

ResponseHead response(const std::string& status, const std::string& fields) {
  return parse_response_head(as_bytes("HTTP/1.1 " + status + "\r\n" + fields + "\r\n")).value();
}

TEST(WsCheck, AnAnswerIsAcceptedOrTheErrorSaysWhatToLookAt) {
  const std::string good =
      "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nsec-websocket-accept: " + std::string(kAccept) +
      "\r\n";
  struct Case {
    std::string status;
    std::string fields;
    const char* error;  ///< null: accepted
  };
  for (const auto& [status, fields, error] : {
           Case{"101 Switching Protocols", good, nullptr},
           Case{"101 ", good + "X-More: 1\r\n", nullptr},
           Case{"200 OK", good, "the server answered 200 OK to GET /ws"},
           Case{"404 Not Found", "", "404 Not Found to GET /ws; is the path right (option path)?"},
           Case{"502 Bad Gateway", "", "what stands in front of the server does not reach it"},
           Case{"301 Moved", "Location: /\r\n", "it wants another address"},
           Case{"400 Bad Request", "", "does what stands between pass Upgrade on?"},
           Case{"101 x", "Upgrade: h2c\r\nConnection: Upgrade\r\n", "does not change to websocket"},
           Case{"101 x", "Upgrade: websocket\r\n", "does not change to websocket"},
           Case{"101 x", "Upgrade: websocket\r\nConnection: Upgrade\r\n", "does not belong to our key"},
           Case{"101 x", "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\n",
                "does not belong to our key"},
           Case{"101 x", good + "Sec-WebSocket-Accept: AAAA\r\n", "does not belong to our key"},
           Case{"101 x", good + "Sec-WebSocket-Extensions: permessage-deflate\r\n", "that was not offered"},
       }) {
    auto checked = check_answer(response(status, fields), {}, kKey);
    EXPECT_EQ(checked.has_value(), error == nullptr) << status << fields;
    if (error == nullptr || checked) continue;
    EXPECT_NE(checked.error().text.find(error), std::string::npos) << checked.error().text;
    EXPECT_TRUE(checked.error().text.starts_with("websocket: "));
    EXPECT_EQ(checked.error().cause, Cause::protocol);
  }
  ClientOptions compressing;
  compressing.compression = true;
  EXPECT_FALSE(check_answer(response("101 x", good), compressing, kKey)->compression);
  EXPECT_TRUE(
      check_answer(response("101 x", good + "Sec-WebSocket-Extensions: " + std::string(kDeflateExtension) + "\r\n"),
                   compressing, kKey)
          ->compression);
}

TEST(WsExtension, OffersAndAnswers) {
  for (const char* good : {"permessage-deflate", "Permessage-Deflate ; client_max_window_bits",
                           "permessage-deflate; client_max_window_bits=\"12\"", "x-other, permessage-deflate",
                           "permessage-deflate; server_max_window_bits=9, permessage-deflate",
                           "permessage-deflate; server_no_context_takeover; client_no_context_takeover"})
    EXPECT_TRUE(offers_deflate(good)) << good;
  for (const char* bad :
       {"", "x-other", "permessage-deflate; server_max_window_bits=9", "permessage-deflate; unknown",
        "permessage-deflate; client_max_window_bits=7", "permessage-deflate; client_max_window_bits=x",
        "permessage-deflate; server_no_context_takeover=1",
        "permessage-deflate; server_no_context_takeover; server_no_context_takeover"})
    EXPECT_FALSE(offers_deflate(bad)) << bad;
  EXPECT_TRUE(accepts_deflate(kDeflateExtension));
  EXPECT_TRUE(accepts_deflate(std::string(kDeflateExtension) + "; server_max_window_bits=10"));
  for (const char* bad : {"permessage-deflate", "permessage-deflate; server_no_context_takeover",
                          "permessage-deflate; server_no_context_takeover; client_no_context_takeover; "
                          "client_max_window_bits=10",
                          "permessage-deflate; server_no_context_takeover; client_no_context_takeover, x-other"})
    EXPECT_FALSE(accepts_deflate(bad)) << bad;
}

TEST(WsForwarded, OnlyTrustedProxiesAreBelieved) {
  const IpRanges trusted({*parse_cidr("10.0.0.0/8"), *parse_ip_range("127.0.0.1")});
  const auto peer = *IpAddress::parse("127.0.0.1");
  struct Case {
    const char* fields;
    const char* client;  ///< empty: the other end of the connection
  };
  for (const auto& [fields, client] : {
           Case{"", ""},
           Case{"X-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"},
           Case{"X-Forwarded-For: 1.2.3.4, 203.0.113.7, 10.1.2.3\r\n", "203.0.113.7"},
           Case{"X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 203.0.113.7\r\n", "203.0.113.7"},
           Case{"X-Forwarded-For: 10.9.9.9, 10.1.2.3\r\n", "10.9.9.9"},
           Case{"X-Forwarded-For: 1.2.3.4, unknown, 10.1.2.3\r\n", "10.1.2.3"},
           Case{"X-Forwarded-For: [2001:db8::7]:443\r\n", "2001:db8::7"},
           Case{"X-Forwarded-For: 2001:db8::7\r\n", "2001:db8::7"},
           Case{"X-Forwarded-For: 203.0.113.7:5555\r\n", "203.0.113.7"},
           Case{"X-Forwarded-For: ::ffff:203.0.113.7\r\n", "203.0.113.7"},
           Case{"X-Forwarded-For: nonsense\r\nX-Real-IP: 203.0.113.8\r\n", "203.0.113.8"},
           Case{"X-Real-IP: 203.0.113.8\r\nCF-Connecting-IP: 203.0.113.9\r\n", "203.0.113.8"},
           Case{"CF-Connecting-IP: 203.0.113.9\r\n", "203.0.113.9"},
           Case{"X-Forwarded-For: [2001:db8::7\r\n", ""},
       }) {
    const RequestHead head = request("/ws", fields);
    auto found = forwarded_client(head, peer, trusted);
    EXPECT_EQ(found ? found->to_string() : "", client) << fields;
    EXPECT_EQ(forwarded_client(head, *IpAddress::parse("192.0.2.1"), trusted), std::nullopt);
    EXPECT_EQ(forwarded_client(head, peer, {}), std::nullopt);
  }
}

TEST(HttpHead, IsFoundWhereverItIsCut) {
  const std::string head = "GET /ws HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string text = head + "behind";
  for (std::size_t cut = 0; cut <= text.size(); ++cut)
    for (std::size_t searched = 0; searched <= std::min(cut, head.size() - 1); ++searched) {
      auto end = find_head_end(as_bytes(text).first(cut), searched);
      if (cut < head.size()) {
        EXPECT_TRUE(std::holds_alternative<NeedMore>(end)) << cut;
      } else {
        EXPECT_EQ(std::get<std::size_t>(end), head.size()) << cut << " " << searched;
      }
    }
  EXPECT_TRUE(std::holds_alternative<Error>(find_head_end(as_bytes("\x05\x01"))));
  EXPECT_TRUE(std::holds_alternative<Error>(find_head_end(as_bytes("get / HTTP/1.1\r\n\r\n"))));
  EXPECT_TRUE(std::holds_alternative<NeedMore>(find_head_end(as_bytes(std::string(kMaxHttpHead - 1, 'A')))));
  EXPECT_TRUE(std::holds_alternative<Error>(find_head_end(as_bytes(std::string(kMaxHttpHead, 'A')))));
}

TEST(HttpHead, WhatIsNotWellFormedIsRefused) {
  for (const char* bad : {"GET /ws\r\n\r\n", "GET  /ws HTTP/1.1\r\n\r\n", "GET /ws HTTP/2.0\r\n\r\n",
                          "GET /ws HTTP/1.1\r\nNo colon\r\n\r\n", "GET /ws HTTP/1.1\r\nBad name: 1\r\n\r\n",
                          "GET /ws HTTP/1.1\r\nHost : h\r\n\r\n", "GET /ws HTTP/1.1\r\n: h\r\n\r\n",
                          "GET /ws HTTP/1.1\nHost: h\r\n\r\n", "GET /ws HTTP/1.1\r\nHost: a\nEvil: b\r\n\r\n",
                          "GET /ws HTTP/1.1\r\nHost: a\rb\r\n\r\n", "GET /ws HTTP/1.1\r\nHost: a\x01\r\n\r\n",
                          "GET /w\x7fs HTTP/1.1\r\n\r\n", "GET /ws HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                          "GET /ws HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"}) {
    auto parsed = parse_request_head(as_bytes(bad));
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().cause, Cause::protocol);
  }
  for (const char* bad : {"HTTP/1.1\r\n\r\n", "HTTP/1.1 abc OK\r\n\r\n", "HTTX/1.1 101 x\r\n\r\n",
                          "HTTP/1.1 101 a\x01\r\n\r\n", "HTTP/1.1 1012 x\r\n\r\n"})
    EXPECT_FALSE(parse_response_head(as_bytes(bad))) << bad;
}

}  // namespace
}  // namespace gost::ws
