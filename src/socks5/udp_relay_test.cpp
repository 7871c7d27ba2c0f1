#include "socks5/udp_relay.hpp"

#include "component/testing/script.hpp"
#include "observe/log_capture.hpp"

namespace gost::socks5 {
namespace {

using namespace std::chrono_literals;
using testing::DatagramScript;
using testing::Packet;
using testing::ScriptedDatagram;
using testing::ScriptedRouter;
using testing::ServedSession;

SocketAddress address(std::string_view ip, std::uint16_t port) {
  return {IpAddress::parse(ip).value(), port};
}

const SocketAddress kTarget = address("8.8.8.8", 53);
const SocketAddress kOther = address("2001:db8::1", 53);

Packet named(std::string name, std::string payload) {
  return {address("0.0.0.0", 80), std::move(name), std::move(payload)};
}

/// A relay between two scripts. `step` is what the test does while it runs.
class SocksUdpRelay : public ::testing::Test {
 public:  // the steps are plain functions
  using Step = void (*)(SocksUdpRelay&);

  /// Runs the relay; each of `steps` is taken when nothing is left to do at that moment, `pause` after the last one.
  void play(std::initializer_list<Step> steps, Duration pause = Duration::zero()) {
    io_.loop.run(drive(std::vector<Step>(steps), pause));
  }

  Task<> drive(std::vector<Step> steps, Duration pause) {
    TaskGroup group(co_await this_scope());
    group.spawn(relay());
    for (Step step : steps) {
      co_await ServedSession::settle();
      step(*this);
      co_await sleep_for(pause);
    }
    co_await ServedSession::settle();
    group.stop();
    co_await group.join();
  }

  Task<> relay() {
    Drops drops(buffer_size_, *served_.session);
    ScriptedDatagram client(client_);
    ScriptedDatagram outbound(outbound_);
    UdpRelay relay(co_await this_scope(), *served_.session, router_, client, outbound, served_.session->client.get(),
                   drops, options_);
    error_ = co_await relay.run();
    ended_ = true;
    ended_at_ = io_.loop.now();
  }

  const DatagramCounters& counted() const { return served_.session->datagrams; }

  IoContext io_{Loop::Time::simulated};
  std::shared_ptr<LogCapture> log_ = std::make_shared<LogCapture>();
  ConnectionLoggers loggers_{Logger(log_, Level::warn), "service-0", "tcp", "socks5"};
  ScriptedRouter router_;
  ServedSession served_{io_, loggers_, {}, {}};
  std::shared_ptr<DatagramScript> client_ = std::make_shared<DatagramScript>();
  std::shared_ptr<DatagramScript> outbound_ = std::make_shared<DatagramScript>();
  std::size_t buffer_size_ = 4096;
  UdpRelayOptions options_;
  std::optional<Error> error_;
  bool ended_ = false;
  TimePoint ended_at_{};
};

TEST_F(SocksUdpRelay, PassesDatagramsBothWaysInBatches) {
  play({[](SocksUdpRelay& t) {
          for (auto payload : {"a", "", "ccc"}) t.client_->put({kTarget, "", payload});
          t.client_->put({kOther, "", "d"});
        },
        [](SocksUdpRelay& t) {
          t.outbound_->put({kTarget, "", "answer"});
          t.outbound_->put({kOther, "", ""});
        }});
  EXPECT_EQ(outbound_->sent,
            (std::vector<Packet>{{kTarget, "", "a"}, {kTarget, "", ""}, {kTarget, "", "ccc"}, {kOther, "", "d"}}));
  EXPECT_EQ(outbound_->sends, std::vector<std::size_t>{4});
  EXPECT_EQ(client_->sent, (std::vector<Packet>{{kTarget, "", "answer"}, {kOther, "", ""}}));
  EXPECT_EQ(client_->sends, std::vector<std::size_t>{2});
  EXPECT_EQ(counted().from_client, 4U);
  EXPECT_EQ(counted().to_client, 2U);
  EXPECT_EQ(counted().dropped, 0U);
  EXPECT_EQ(served_.session->bytes.from_a, 5U);
  EXPECT_EQ(served_.session->bytes.from_b, 6U);
}

TEST_F(SocksUdpRelay, EndsWithTheControlConnection) {
  play({[](SocksUdpRelay& t) { t.served_.client->try_shutdown(); }, [](SocksUdpRelay& t) { EXPECT_TRUE(t.ended_); }});
  EXPECT_FALSE(error_) << "that is how a client ends it";
}

TEST_F(SocksUdpRelay, SaysWhatBrokeIt) {
  play({[](SocksUdpRelay& t) {
          t.served_.client->abort();
          t.served_.client.reset();
        },
        [](SocksUdpRelay& t) { EXPECT_TRUE(t.ended_); }});
  EXPECT_EQ(error_.value().cause, Cause::reset);
}

TEST_F(SocksUdpRelay, EndsWhenOneOfItsEndsDoes) {
  play({[](SocksUdpRelay& t) { t.client_->end(); }, [](SocksUdpRelay& t) { EXPECT_TRUE(t.ended_); }});
  EXPECT_FALSE(error_);
}

TEST_F(SocksUdpRelay, EndsWithTheWayToTheTargets) {
  play({[](SocksUdpRelay& t) { t.outbound_->end(); }, [](SocksUdpRelay& t) { EXPECT_TRUE(t.ended_); }});
  EXPECT_EQ(error_.value().cause, Cause::eof);
}

TEST_F(SocksUdpRelay, EndsAtAFailureOfAnEnd) {
  play({[](SocksUdpRelay& t) { t.client_->fail(EPROTO); }, [](SocksUdpRelay& t) { EXPECT_TRUE(t.ended_); }});
  EXPECT_EQ(error_.value().text, "read from the client: protocol error");
}

TEST_F(SocksUdpRelay, WhatComesOnTheControlConnectionMeansNothing) {
  play({[](SocksUdpRelay& t) { t.served_.client->try_write(as_bytes("noise")); },
        [](SocksUdpRelay& t) { t.client_->put({kTarget, "", "a"}); }});
  EXPECT_EQ(outbound_->sent.size(), 1U);
}

TEST_F(SocksUdpRelay, AnIdleRelayEnds) {
  options_.idle_timeout = 5min;
  TimePoint start = io_.loop.now();
  play({[](SocksUdpRelay& t) { t.client_->put({kTarget, "", "a"}); },
        [](SocksUdpRelay& t) { t.outbound_->put({kTarget, "", "b"}); },
        [](SocksUdpRelay& t) { EXPECT_FALSE(t.ended_) << "a datagram each 4 minutes is not idle"; },
        [](SocksUdpRelay&) {}},
       4min);
  EXPECT_TRUE(ended_);
  EXPECT_EQ(ended_at_ - start, 9min) << "5 minutes after the last one";
  EXPECT_EQ(error_.value().cause, Cause::timeout);
  EXPECT_EQ(error_.value().text, "no datagram for 5m0s (option udp.idleTimeout)");
}

TEST_F(SocksUdpRelay, WithoutALimitItLivesOn) {
  play({[](SocksUdpRelay&) {}, [](SocksUdpRelay& t) { EXPECT_FALSE(t.ended_); }}, 24h);
}

TEST_F(SocksUdpRelay, WhatCannotBeSentHarmsOnlyItself) {
  play({[](SocksUdpRelay& t) {
          t.outbound_->send_error = ENETUNREACH;
          t.client_->put({kTarget, "", "a"});
        },
        [](SocksUdpRelay& t) {
          t.outbound_->send_error = 0;
          t.client_->put({kTarget, "", "b"});
          t.client_->put({address("8.8.8.8", 0), "", "port 0"});
          t.client_->put({kTarget, "", "c"});
        },
        [](SocksUdpRelay& t) {
          t.client_->send_error = ENOBUFS;
          t.outbound_->put({kTarget, "", "lost"});
        },
        [](SocksUdpRelay& t) {
          t.client_->send_error = 0;
          t.outbound_->put({kTarget, "", "d"});
          EXPECT_FALSE(t.ended_);
        }});
  EXPECT_EQ(outbound_->sent, (std::vector<Packet>{{kTarget, "", "b"}, {kTarget, "", "c"}}));
  EXPECT_EQ(client_->sent, (std::vector<Packet>{{kTarget, "", "d"}}));
  EXPECT_EQ(counted().dropped, 3U);
  EXPECT_EQ(counted().to_client, 1U);
  EXPECT_EQ(served_.session->bytes.from_b, 1U);
}

TEST_F(SocksUdpRelay, LongDatagramsAreDroppedAndWarnedOfOnce) {
  buffer_size_ = 8;
  play({[](SocksUdpRelay& t) {
    t.outbound_->put({kTarget, "", "eight..."});
    t.outbound_->put({kTarget, "", "nine....."});
    t.outbound_->put({kTarget, "", "ten......."});
    t.client_->put({kTarget, "", "nine....."});
  }});
  EXPECT_EQ(client_->sent, (std::vector<Packet>{{kTarget, "", "eight..."}})) << "nothing is cut";
  EXPECT_TRUE(outbound_->sent.empty());
  EXPECT_EQ(counted().dropped, 3U);
  auto lines = log_->take();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("option udp.bufferSize"), std::string::npos) << lines[0];
}

TEST_F(SocksUdpRelay, ForbiddenDestinationsGetNothing) {
  router_.forbidden = {"8.8.8.8", "evil.example"};
  outbound_->names = true;
  play({[](SocksUdpRelay& t) {
          t.client_->put({kTarget, "", "a"});
          t.client_->put(named("evil.example", "b"));
          t.client_->put({kOther, "", "c"});
          t.client_->put(named("good.example", "d"));
        },
        [](SocksUdpRelay& t) { t.outbound_->put({kTarget, "", "unasked"}); }});
  EXPECT_EQ(outbound_->sent, (std::vector<Packet>{{kOther, "", "c"}, named("good.example", "d")}));
  EXPECT_EQ(counted().dropped, 2U);
  EXPECT_EQ(client_->sent.size(), 1U) << "sources are not asked for unless the option says so";
}

TEST_F(SocksUdpRelay, SourcesAreFilteredWhereAskedFor) {
  router_.forbidden = {"8.8.8.8"};
  options_.filter_sources = true;
  play({[](SocksUdpRelay& t) {
    t.outbound_->put({kTarget, "", "a"});
    t.outbound_->put({kTarget, "", "b"});
    t.outbound_->put({kOther, "", "c"});
  }});
  EXPECT_EQ(client_->sent, (std::vector<Packet>{{kOther, "", "c"}}));
  EXPECT_EQ(counted().dropped, 2U);
}

TEST_F(SocksUdpRelay, ARuleThatChangesIsHeardWithinASecond) {
  play({[](SocksUdpRelay& t) { t.client_->put({kTarget, "", "a"}); },
        [](SocksUdpRelay& t) {
          t.router_.forbidden = {"8.8.8.8"};
          t.client_->put({kTarget, "", "b"});
        }},
       1s);
  EXPECT_EQ(outbound_->sent, (std::vector<Packet>{{kTarget, "", "a"}}));
}

TEST_F(SocksUdpRelay, NamesArePassedOnWhereTheFarEndTakesThem) {
  outbound_->names = true;
  play({[](SocksUdpRelay& t) { t.client_->put(named("a.example", "x")); }});
  EXPECT_EQ(outbound_->sent, (std::vector<Packet>{named("a.example", "x")}));
  EXPECT_TRUE(router_.looked_up.empty());
}

TEST_F(SocksUdpRelay, ANameIsLookedUpOnceAndItsDatagramsWait) {
  router_.names = {{"a.example", kTarget.ip()}};
  router_.lookup_time = 1s;
  play({[](SocksUdpRelay& t) {
          t.client_->put(named("a.example", "x"));
          t.client_->put(named("a.example", "y"));
          t.client_->put({kOther, "", "not held up"});
        },
        [](SocksUdpRelay& t) { EXPECT_EQ(t.outbound_->take(), (std::vector<Packet>{{kOther, "", "not held up"}})); },
        [](SocksUdpRelay& t) {
          EXPECT_EQ(t.outbound_->take(),
                    (std::vector<Packet>{{address("8.8.8.8", 80), "", "x"}, {address("8.8.8.8", 80), "", "y"}}));
          t.client_->put(named("a.example", "z"));
          t.client_->put({address("0.0.0.0", 81), "a.example", "another port"});
        }},
       600ms);
  EXPECT_EQ(outbound_->sent,
            (std::vector<Packet>{{address("8.8.8.8", 80), "", "z"}, {address("8.8.8.8", 81), "", "another port"}}));
  EXPECT_EQ(router_.looked_up, std::vector<std::string>{"a.example"});
}

TEST_F(SocksUdpRelay, AnAnswerIsRememberedForAMinute) {
  router_.names = {{"a.example", kTarget.ip()}};
  auto ask = [](SocksUdpRelay& t) { t.client_->put(named("a.example", "x")); };
  play({ask, ask, ask, ask}, 25s);
  EXPECT_EQ(outbound_->sent.size(), 4U);
  EXPECT_EQ(router_.looked_up.size(), 2U);
}

TEST_F(SocksUdpRelay, ALiteralInTheFormOfANameNeedsNoLookup) {
  play({[](SocksUdpRelay& t) { t.client_->put(named("::ffff:9.9.9.9", "x")); }});
  EXPECT_EQ(outbound_->sent, (std::vector<Packet>{{address("9.9.9.9", 80), "", "x"}}));
  EXPECT_TRUE(router_.looked_up.empty());
}

TEST_F(SocksUdpRelay, ANameThatDoesNotExistHarmsOnlyItsDatagrams) {
  router_.lookup_time = 10ms;
  auto ask = [](SocksUdpRelay& t) {
    t.client_->put(named("nosuch.example", "x"));
    t.client_->put({kTarget, "", "a"});
  };
  play({ask, ask, ask, ask}, 2s);
  EXPECT_EQ(outbound_->sent.size(), 4U);
  EXPECT_EQ(counted().dropped, 4U);
  EXPECT_EQ(router_.looked_up.size(), 2U) << "it is asked for again after 5 s";
}

TEST_F(SocksUdpRelay, WhatWaitsForNamesIsBounded) {
  router_.lookup_time = 1s;
  router_.names = {{"a.example", kTarget.ip()}};
  play({[](SocksUdpRelay& t) {
          for (int i = 0; i < 40; ++i) t.client_->put(named("a.example", "x"));
        },
        [](SocksUdpRelay&) {}},
       1s);
  EXPECT_EQ(outbound_->sent.size(), 16U);
  EXPECT_EQ(counted().dropped, 24U);
}

TEST_F(SocksUdpRelay, TheBytesThatWaitAreBounded) {
  buffer_size_ = 65535;
  router_.lookup_time = 1s;
  router_.names = {{"a.example", kTarget.ip()}};
  play({[](SocksUdpRelay& t) {
          for (int i = 0; i < 3; ++i) t.client_->put(named("a.example", std::string(30'000, 'x')));
        },
        [](SocksUdpRelay&) {}},
       1s);
  EXPECT_EQ(outbound_->sent.size(), 2U);
  EXPECT_EQ(counted().dropped, 1U);
}

TEST_F(SocksUdpRelay, LookupsAreBounded) {
  router_.lookup_time = 1s;
  play({[](SocksUdpRelay& t) {
         for (int i = 0; i < 100; ++i) t.client_->put(named(std::to_string(i) + ".example", "x"));
       }},
       2s);
  EXPECT_EQ(router_.looked_up.size(), 8U);
  EXPECT_EQ(counted().dropped, 100U);
}

TEST_F(SocksUdpRelay, ManyNamesOneAfterTheOtherAreFine) {
  for (int i = 0; i < 300; ++i) router_.names[std::to_string(i) + ".example"] = kTarget.ip();
  play({[](SocksUdpRelay& t) {
    for (int i = 0; i < 300; ++i) t.client_->put(named(std::to_string(i) + ".example", "x"));
  }});
  EXPECT_EQ(outbound_->sent.size(), 300U);
  EXPECT_EQ(counted().dropped, 0U);
}

TEST_F(SocksUdpRelay, AStopEndsLookupsToo) {
  router_.lookup_time = 5s;
  play({[](SocksUdpRelay& t) { t.client_->put(named("a.example", "x")); },
        [](SocksUdpRelay& t) { t.served_.client->try_shutdown(); }});
  EXPECT_TRUE(ended_);
  EXPECT_EQ(counted().dropped, 1U);
}

TEST_F(SocksUdpRelay, ASlowEndHoldsUpItsOwnDirectionOnly) {
  play({[](SocksUdpRelay& t) {
          t.client_->held_back = 2;  // the first flush would block
          t.outbound_->put({kTarget, "", "a"});
        },
        [](SocksUdpRelay& t) {
          t.outbound_->put({kTarget, "", "b"});
          t.client_->put({kTarget, "", "up"});
        },
        [](SocksUdpRelay& t) { EXPECT_EQ(t.outbound_->sent.size(), 1U); }});
  EXPECT_EQ(client_->sent.size(), 2U);
  EXPECT_EQ(outbound_->sent.size(), 1U);
}

TEST_F(SocksUdpRelay, ABatchOfManyDatagramsGoesInFewCalls) {
  play({[](SocksUdpRelay& t) {
    for (int i = 0; i < 600; ++i) t.client_->put({kTarget, "", std::to_string(i)});
  }});
  ASSERT_EQ(outbound_->sent.size(), 600U);
  for (std::size_t i = 0; i < 600; ++i) EXPECT_EQ(outbound_->sent[i].payload, std::to_string(i));
  EXPECT_EQ(outbound_->sends.size(), 3U);
}

TEST_F(SocksUdpRelay, TheRecordCountsWhatPassed) {
  loggers_ = ConnectionLoggers(Logger(log_, Level::info), "service-0", "tcp", "socks5");
  play({[](SocksUdpRelay& t) {
    t.client_->put({kTarget, "", "abc"});
    t.client_->put({address("8.8.8.8", 0), "", "x"});
    t.outbound_->put({kTarget, "", "de"});
  }});
  served_.session->record.finished(1, 2, io_.loop.now());
  auto line = log_->take().back();
  for (auto field : {R"("inputDatagrams":2)", R"("outputDatagrams":1)", R"("droppedDatagrams":1)"})
    EXPECT_NE(line.find(field), std::string::npos) << line;
}

}  // namespace
}  // namespace gost::socks5
