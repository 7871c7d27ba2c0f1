#include "runtime/task_group.hpp"
#include "udp/demux.hpp"
#include "udp/testing/kept_sessions.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <deque>
#include <map>
#include <optional>

namespace gost {
namespace {

using namespace std::chrono_literals;
using testing::client_address;
using testing::receive_all;
using testing::receive_texts;
using testing::send_to;

constexpr Duration kTtl = 5s;
constexpr std::size_t kLongest = 8;
constexpr std::size_t kQueue = 3;
constexpr std::size_t kMaxOpen = 4;
constexpr std::size_t kBacklog = 2;
constexpr std::uint8_t kClients = 6;

struct Step {
  enum class Kind : std::uint8_t { client_sends, handler_reads, handler_answers, handler_leaves, time_passes };
  Kind kind;
  std::uint8_t client;
  std::size_t size;
  int seconds;
};

rc::Gen<Step> any_step() {
  return rc::gen::construct<Step>(
      rc::gen::element(Step::Kind::client_sends, Step::Kind::client_sends, Step::Kind::handler_reads,
                       Step::Kind::handler_answers, Step::Kind::handler_leaves, Step::Kind::time_passes),
      rc::gen::inRange<std::uint8_t>(1, kClients + 1), rc::gen::inRange<std::size_t>(0, kLongest + 2),
      rc::gen::inRange(1, 4));
}

/// What is said of a session in the simplest words.
struct Model {
  std::deque<std::string> queue;
  std::uint64_t discarded = 0;
  bool read = false;
  TimePoint last{};
};

class Run {
 public:
  Run() {
    limits_->max_open = kMaxOpen;
    limits_->backlog = kBacklog;
    std::tie(below_, clients_) = make_memory_datagrams();
    demux_.emplace(io_, *below_, sink_, DemuxOptions{.ttl = kTtl, .longest = kLongest, .queue_size = kQueue},
                   limits_);
  }

  void play(std::vector<Step> steps) {
    io_.loop.run([](Run& run, std::vector<Step> all) -> Task<> {
      TaskGroup group(co_await this_scope());
      group.spawn(run.serve());
      for (const Step& step : all) co_await run.play_one(step);
      group.stop();
      co_await group.join();
      for (auto& [client, session] : run.sessions_) run.failed_ = run.failed_ || !run.is_over(client);
      run.sessions_.clear();
    }(*this, std::move(steps)));
    RC_ASSERT(!failed_);
    RC_ASSERT(limits_->open == 0U);
    RC_ASSERT(limits_->unread == 0U);
  }

 private:
  Task<> serve() {
    std::ignore = co_await demux_->run();
    demux_.reset();
  }

  Task<> play_one(Step step) {
    switch (step.kind) {
    case Step::Kind::client_sends: client_sends(step); break;
    case Step::Kind::handler_reads: handler_reads(step.client); break;
    case Step::Kind::handler_answers: handler_answers(step.client); break;
    case Step::Kind::handler_leaves: forget(step.client); break;
    case Step::Kind::time_passes: co_await sleep_for(std::chrono::seconds(step.seconds)); break;
    }
    for (int turn = 0; turn < 10; ++turn) co_await yield();
    take_new();
    expire();
    check(demux_->sessions() == models_.size());
    check(limits_->open == sessions_.size());
  }

  void client_sends(const Step& step) {
    std::string payload = std::to_string(counter_++);
    payload.resize(step.size, '.');
    send_to(*clients_, client_address(step.client), payload);
    auto model = models_.find(step.client);
    if (model == models_.end()) {
      std::size_t unread = 0;
      for (auto& [client, open] : models_) unread += open.read ? 0 : 1;
      if (payload.size() > kLongest || models_.size() >= kMaxOpen || unread >= kBacklog) return;
      model = models_.emplace(step.client, Model{}).first;
    }
    if (payload.size() > kLongest || model->second.queue.size() >= kQueue) {
      ++model->second.discarded;
    } else {
      model->second.queue.push_back(payload);
      model->second.last = io_.loop.now();
    }
  }

  void handler_reads(std::uint8_t client) {
    auto model = models_.find(client);
    if (model == models_.end()) return;
    if (!model->second.read) model->second.last = io_.loop.now();
    model->second.read = true;
    auto got = receive_texts(*sessions_.at(client), batch_);
    check(std::ranges::equal(got, model->second.queue));
    check(sessions_.at(client)->discarded() == model->second.discarded);
    model->second.queue.clear();
  }

  void handler_answers(std::uint8_t client) {
    auto model = models_.find(client);
    if (model == models_.end()) return;
    std::string answer = "answer " + std::to_string(client);
    send_to(*sessions_.at(client), client_address(99), answer);
    model->second.last = io_.loop.now();
    auto got = receive_all(*clients_, batch_);
    check(got.size() == 1 && got[0].first == client_address(client) && got[0].second == answer);
  }

  void take_new() {
    for (auto& kept : sink_.sessions) {
      auto client = static_cast<std::uint8_t>(kept.peer.port() - 1000);
      check(models_.contains(client) && !sessions_.contains(client));
      sessions_.insert_or_assign(client, std::move(kept.datagrams));
    }
    sink_.sessions.clear();
  }

  /// A session ends ttl after its last datagram, but not before somebody reads it; its handler then leaves.
  void expire() {
    for (std::uint8_t client = 1; client <= kClients; ++client) {
      auto model = models_.find(client);
      if (model == models_.end()) continue;
      if (model->second.read && io_.loop.now() - model->second.last >= kTtl) {
        auto got = receive_texts(*sessions_.at(client), batch_);
        check(std::ranges::equal(got, model->second.queue));
        check(is_over(client));
        forget(client);
      } else if (model->second.read && model->second.queue.empty()) {
        check(!is_over(client));
      }
    }
  }

  void forget(std::uint8_t client) {
    models_.erase(client);
    sessions_.erase(client);
  }
  bool is_over(std::uint8_t client) {
    receive_texts(*sessions_.at(client), batch_);
    return sessions_.at(client)->try_receive(batch_).status == IoResult::Status::eof;
  }
  /// Exceptions must not leave a coroutine, so a failure is kept for the end.
  void check(bool holds) { failed_ = failed_ || !holds; }

  IoContext io_{Loop::Time::simulated};
  std::shared_ptr<SessionLimits> limits_ = std::make_shared<SessionLimits>();
  testing::KeptSessions sink_;
  std::unique_ptr<Datagram> below_;
  std::unique_ptr<Datagram> clients_;
  std::optional<UdpDemux> demux_;
  DatagramBatch batch_;
  std::map<std::uint8_t, std::unique_ptr<Datagram>> sessions_;
  std::map<std::uint8_t, Model> models_;
  int counter_ = 0;
  bool failed_ = false;
};

RC_GTEST_PROP(UdpDemuxProperty, SessionsAreWhatTheirDatagramsAndTimesSay, ()) {
  auto steps = *rc::gen::container<std::vector<Step>>(any_step());
  Run().play(std::move(steps));
}

}  // namespace
}  // namespace gost
