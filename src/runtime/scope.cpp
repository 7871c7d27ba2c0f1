#include "runtime/scope.hpp"

#include "runtime/loop.hpp"

namespace gost {

Error stop_error(Outcome reason) {
  if (reason == Outcome::timeout) return {Cause::timeout, "i/o timeout"};
  return {Cause::canceled, "canceled"};
}

bool Wait::begin(Scope& scope, std::coroutine_handle<> coroutine, Wait** place) {
  if (scope.stopped()) {
    outcome_ = scope.reason();
    return false;
  }
  begin_uninterruptible(scope, coroutine, place);
  scope.waits_.push_back(*this);
  return true;
}

void Wait::begin_uninterruptible(Scope& scope, std::coroutine_handle<> coroutine, Wait** place) {
  assert(*place == nullptr && "one waiter per place");
  scope_ = &scope;
  coroutine_ = coroutine;
  place_ = place;
  *place = this;
}

void Wait::complete(Outcome outcome) {
  unlink();
  *place_ = nullptr;
  outcome_ = outcome;
  scope_->loop().enqueue(*this);
}

Scope::Scope(Scope& parent) : loop_(parent.loop_), reason_(parent.reason_) {
  parent.children_.push_back(*this);
}

void Scope::stop(Outcome reason) {
  if (stopped()) return;
  reason_ = reason;
  waits_.for_each([reason](Wait& wait) { wait.complete(reason); });
  children_.for_each([reason](Scope& child) { child.stop(reason); });
}

}  // namespace gost
