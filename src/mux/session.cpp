#include "mux/session.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <tuple>
#include <utility>

namespace gost {

namespace {

/// While others wait, a stream sends one frame at a turn, and so many have a turn before the loop goes on.
constexpr std::size_t kTurnsAtATime = 4;
/// Control frames of one write.
constexpr std::size_t kControlSize = 1024;
/// After a failed write: the peer may have sent so many reads before it left.
constexpr int kLastReads = 64;
/// An orderly end takes so long without progress at most, and is looked at so often.
constexpr Duration kLeavingGrace = std::chrono::seconds(10);
constexpr Duration kDeliveryCheck = std::chrono::milliseconds(20);

}  // namespace

MuxSession::MuxSession(IoContext& io, std::unique_ptr<Stream> below, const MuxOptions& options, MuxSide side,
                       MuxSink* sink)
    : io_(io),
      below_(std::move(below)),
      sink_(sink),
      machine_(make_machine(options, side, io.loop.now())),
      path_(std::make_shared<MuxPath>(below_->local(), below_->remote(),
                                      below_->layers() + "," + std::string(machine_->name()))),
      writer_(*below_, io.buffers) {}

MuxSession::~MuxSession() {
  assert(group_ == nullptr && "run() must have ended");
  machine_->end();
}

Task<std::optional<Error>> MuxSession::run() {
  TaskGroup group(co_await this_scope());
  group_ = &group;
  if (concluded_) group.stop();
  group.spawn(receive());
  group.spawn(send());
  group.spawn(keep_alive());
  if (leaving_) group.spawn(watch_leaving());
  co_await group.join();
  group_ = nullptr;
  finish();
  co_return std::move(error_);
}

Task<> MuxSession::receive() {
  while (!concluded_) {
    if (!shut_down_ && !machine_->wants_input()) {
      may_read_.clear();
      if (co_await may_read_.until_set() != Outcome::ready) break;
      continue;
    }
    if (co_await below_->until(Interest::read) != Outcome::ready) break;
    IoResult got = shut_down_ ? discard() : read_once();
    if (got.status == IoResult::Status::eof) {
      if (shut_down_ || !machine_->within_frame()) break;
      co_return conclude(Error{Cause::eof, std::string(machine_->name()) + ": the connection ended within a frame"});
    }
    if (shut_down_ && got.status == IoResult::Status::error) break;
    if (got.status == IoResult::Status::error) co_return conclude(below_->error(got.error).in("read"));
    // The readers go first after every read: what waits for them stays little, and its memory warm.
    if (co_await yield() != Outcome::ready) break;
  }
  conclude(std::nullopt);
}

IoResult MuxSession::read_once() {
  auto buffer = io_.buffers.borrow();
  IoResult got = below_->try_read(buffer.bytes());
  Bytes bytes = buffer.bytes().first(got.bytes);
  while (!bytes.empty()) {
    Bytes part = bytes.first(std::min(bytes.size(), machine_->max_input()));
    auto taken = machine_->input(part);
    deliver();
    if (!taken) {
      conclude(taken.error());
      break;
    }
    bytes = bytes.subspan(part.size());
  }
  return got;
}

IoResult MuxSession::discard() {
  auto buffer = io_.buffers.borrow();
  return below_->try_read(buffer.bytes());
}

void MuxSession::deliver() {
  for (auto& state : machine_->take_accepted()) {
    if (sink_ != nullptr && !leaving_) sink_->accepted(std::make_unique<MuxStream>(*this, std::move(state), path_));
  }
  // Refused streams have FINs to send.
  machine_changed();
}

Task<> MuxSession::send() {
  while (co_await to_send_.until_set() == Outcome::ready) {
    IoResult flushed = flush();
    if (flushed.status == IoResult::Status::ok && turns_.empty()) {
      if (!leaving_) {
        to_send_.clear();
        continue;
      }
      // Until then the peer may want an answer to its pings.
      if (below_->undelivered() > 0) {
        if (co_await sleep_for(kDeliveryCheck) != Outcome::ready) co_return;
        continue;
      }
      flushed = below_->try_shutdown();
      if (flushed.status != IoResult::Status::would_block) {
        shut_down_ = true;
        may_read_.set();
        // What cannot be shut down has delivered everything all the same.
        if (flushed.status != IoResult::Status::ok) conclude(std::nullopt);
        co_return;
      }
    }
    if (flushed.status == IoResult::Status::would_block || !below_->ready(Interest::write)) {
      if (co_await below_->until(Interest::write) != Outcome::ready) co_return;
      continue;
    }
    if (flushed.status != IoResult::Status::ok) co_return;
    turns_.grant(kTurnsAtATime, [](SendTurn& turn) { static_cast<MuxStream&>(turn).turn_granted(); });
    // Those that were granted a turn run now, all of them before this coroutine.
    if (co_await yield() != Outcome::ready) co_return;
    turns_.revoke();
  }
}

Task<> MuxSession::keep_alive() {
  while (auto next = machine_->next_timeout()) {
    if (co_await sleep_for(*next - io_.loop.now()) != Outcome::ready || shut_down_) co_return;
    if (auto alive = machine_->expire(io_.loop.now()); !alive) co_return conclude(alive.error());
    machine_changed();
  }
}

Task<> MuxSession::watch_leaving() {
  std::size_t left = on_the_way();
  for (Duration waited{}; waited < kLeavingGrace; waited += kDeliveryCheck) {
    if (co_await sleep_for(kDeliveryCheck) != Outcome::ready) co_return;
    std::size_t now_left = on_the_way();
    if (now_left < left) waited = Duration::zero();
    left = now_left;
  }
  if (left == 0) co_return conclude(std::nullopt);
  conclude(Error{Cause::timeout, std::string(machine_->name()) + ": the peer takes nothing any more: the last " +
                                     std::to_string(left) + " bytes were lost"});
}

IoResult MuxSession::flush() {
  for (;;) {
    IoResult io = writer_.flush();
    if (io.status == IoResult::Status::ok) kept_of_ = nullptr;
    if (io.status == IoResult::Status::ok && !machine_->has_control()) return io;
    if (io.status == IoResult::Status::ok) {
      std::array<std::uint8_t, kControlSize> control;
      std::size_t size = machine_->take_control(control);
      io = writer_.write(Bytes(control).first(size));
      // A queue of FINs may have been what kept us from reading.
      if (machine_->wants_input()) may_read_.set();
    }
    if (io.status == IoResult::Status::would_block) return io;
    if (io.status != IoResult::Status::ok) return write_failed(io);
  }
}

IoResult MuxSession::write(MuxStream& stream, Bytes from) {
  MuxMachineStream& state = stream.state();
  if (write_error_ != 0) return IoResult::failed(write_error_);
  if (int error = state.send_error(); error != 0) return IoResult::failed(error);
  from = from.first(std::min(from.size(), state.sendable()));
  if (from.empty() || !may_write(stream)) return IoResult::would_block();
  bool alone = turns_.empty();
  if (!alone) from = from.first(std::min(from.size(), machine_->max_frame_size()));

  std::array<std::uint8_t, kControlSize> control;
  std::size_t size = machine_->take_control(control);
  IoResult io;
  if (machine_->has_control()) {
    // More than one write of them, and all must be in front.
    io = writer_.write(Bytes(control).first(size));
    if (io.status == IoResult::Status::ok) io = flush();
    if (io.status == IoResult::Status::ok) io = writer_.write({}, from, state, machine_->max_frame_size());
  } else {
    io = writer_.write(Bytes(control).first(size), from, state, machine_->max_frame_size());
  }
  if (writer_.pending()) to_send_.set();
  if (io.status == IoResult::Status::would_block) return io;
  if (io.status != IoResult::Status::ok) return write_failed(io);
  if (io.bytes == 0) return IoResult::would_block();
  state.sent(io.bytes);
  turns_.done(stream);
  if (writer_.pending()) kept_of_ = &stream;
  return io;
}

bool MuxSession::may_write(const MuxStream& stream) {
  if (write_error_ != 0) return true;
  return !writer_.pending() && below_->ready(Interest::write) && turns_.may_send(stream);
}

void MuxSession::wait_to_write(MuxStream& stream) {
  turns_.wait(stream);
  to_send_.set();
}

void MuxSession::machine_changed() {
  if (machine_->has_control()) to_send_.set();
  if (!may_read_.is_set() && machine_->wants_input()) may_read_.set();
}

void MuxSession::forget(MuxStream& stream) {
  turns_.done(stream);
  if (kept_of_ == &stream) kept_of_ = nullptr;
  leave_if_idle();
}

void MuxSession::end_when_idle() {
  ends_when_idle_ = true;
  if (!concluded_ && machine_->streams() == 0 && on_the_way() == 0) end();
  leave_if_idle();
}

void MuxSession::leave_if_idle() {
  if (!ends_when_idle_ || leaving_ || concluded_ || machine_->streams() > 0) return;
  leaving_ = true;
  to_send_.set();
  if (group_ != nullptr) group_->spawn(watch_leaving());
}

std::size_t MuxSession::on_the_way() const {
  return writer_.pending_bytes() + below_->undelivered() + (machine_->has_control() ? 1 : 0);
}

Result<std::unique_ptr<MuxStream>> MuxSession::open() {
  if (concluded_ || leaving_) return fail(Cause::reset, std::string(machine_->name()) + ": the session has ended");
  auto state = machine_->open();
  if (!state) return fail(state.error());
  to_send_.set();
  return std::make_unique<MuxStream>(*this, std::move(*state), path_);
}

bool MuxSession::usable() const {
  if (concluded_ || leaving_ || !machine_->can_open()) return false;
  IoWatch* socket = below_->kernel(Interest::write);
  return socket == nullptr || !socket->hung_up();
}

void MuxSession::conclude(std::optional<Error> error) {
  if (concluded_) return;
  concluded_ = true;
  error_ = std::move(error);
  if (group_ != nullptr) group_->stop();
}

IoResult MuxSession::write_failed(const IoResult& io) {
  write_error_ = io.status == IoResult::Status::error ? io.error : EPIPE;
  conclude(below_->error(write_error_).in("write"));
  return IoResult::failed(write_error_);
}

void MuxSession::finish() {
  if (write_error_ != 0) {
    // What the peer had sent before it went away is still there.
    for (int i = 0; i < kLastReads && machine_->wants_input(); ++i) {
      if (read_once().status != IoResult::Status::ok) break;
    }
  } else if (!shut_down_) {
    std::ignore = flush();
  }
  if (error_ && worth_telling(*error_)) path_->broken = error_;
  machine_->end();
  below_.reset();
}

}  // namespace gost
