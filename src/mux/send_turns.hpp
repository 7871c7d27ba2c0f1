// SendTurns: the order in which the streams of a session send when the way below is narrower than what they have.
#pragma once

#include "runtime/list.hpp"

#include <cstddef>
#include <cstdint>

namespace gost {

struct SendTurnTag;

/// Stands in the queue for at most one turn.
class SendTurn : public ListHook<SendTurnTag> {
 private:
  friend class SendTurns;
  bool granted_ = false;
};

/// First come, first served, a few at a time. A turn that was granted and not used is lost; one that could not be
/// used (the way was blocked again, so the stream waits anew) stays in front.
class SendTurns {
 public:
  bool empty() { return front_.empty() && queue_.empty(); }
  /// Whether `turn` may send: it was granted, or nobody else wants to.
  bool may_send(const SendTurn& turn) { return turn.granted_ || empty(); }
  /// `turn` wants to send as soon as it is granted.
  void wait(SendTurn& turn) {
    turn.granted_ = false;
    if (!turn.linked()) queue_.push_back(turn);
  }
  /// `turn` has sent, or does not want to any more.
  void done(SendTurn& turn) {
    turn.granted_ = false;
    turn.unlink();
  }

  /// Grants turns to the first `most`, and calls `granted(turn)` for each.
  template <class Granted>
  void grant(std::size_t most, Granted granted) {
    for (std::size_t have = count_front(); have < most && !queue_.empty(); ++have) {
      SendTurn& turn = queue_.front();
      turn.unlink();
      front_.push_back(turn);
    }
    front_.for_each([&](SendTurn& turn) {
      turn.granted_ = true;
      granted(turn);
    });
  }
  /// Everybody who was granted a turn has had the opportunity.
  void revoke() {
    front_.for_each([this](SendTurn& turn) {
      if (turn.granted_) done(turn);
    });
  }

 private:
  std::size_t count_front() {
    std::size_t count = 0;
    front_.for_each([&](SendTurn&) { ++count; });
    return count;
  }

  List<SendTurn, SendTurnTag> front_;  ///< granted, or granted before and blocked; never many
  List<SendTurn, SendTurnTag> queue_;
};

}  // namespace gost
