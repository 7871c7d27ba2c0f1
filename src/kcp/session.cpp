#include "kcp/session.hpp"

#include "kcp/carrier.hpp"
#include "kcp/stream.hpp"

#include <algorithm>
#include <utility>

namespace gost::kcp {

namespace {
/// What was written before the stream was closed has so long to arrive.
constexpr Duration kLinger = std::chrono::seconds(5);
}  // namespace

Session::Session(Carrier& carrier, const PacketBatch::Target& target, std::uint32_t conversation)
    : Timer([](Timer& timer) { static_cast<Session&>(timer).on_timer(); }),
      carrier_(carrier),
      connection_(carrier.pool(), carrier.options(), conversation),
      target_(target) {}

Session::~Session() {
  carrier_.loop().disarm(*this);
}

void Session::close(bool reset) {
  stream_ = nullptr;
  connection_.discard();
  linger_until_ = carrier_.now() + (reset ? Duration::zero() : kLinger);
  carrier_.due(*this);
}

void Session::settle() {
  if (stream_ == nullptr) {
    connection_.discard();
  } else {
    if (connection_.readable() > 0) stream_->readable();
    if (connection_.writable()) stream_->writable();
  }
  arm({});
}

void Session::arm(TimePoint earliest) {
  const TimePoint now = carrier_.now();
  auto next = connection_.next_timeout(now);
  if (linger_until_ && (!next || *next > *linger_until_)) next = linger_until_;
  if (next) next = std::max(*next, earliest);
  if (failure() || (next && *next <= now)) {
    carrier_.due(*this);
  } else if (next) {
    if (!armed() || when() != *next) carrier_.loop().arm(*this, *next);
  } else {
    carrier_.loop().disarm(*this);
  }
}

void Session::on_timer() {
  carrier_.due(*this);
}

bool Session::over(TimePoint now) const {
  if (failure()) return true;
  return linger_until_ && (now >= *linger_until_ || connection_.unacknowledged() == 0);
}

void Session::end(const Error& error) {
  if (stream_ != nullptr) std::exchange(stream_, nullptr)->ended(error);
}

}  // namespace gost::kcp
