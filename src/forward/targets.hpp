// The targets of a forward: which one a session gets, and what is learned by trying.
#pragma once

#include "component/session.hpp"
#include "route/target_list.hpp"

#include <string_view>
#include <utility>
#include <vector>

namespace gost::forward {

/// Calls `open(address)`, a function from Endpoint to Task<Result<T>>, for one target after the other, as the
/// selector chooses, until one succeeds. Each result marks its target or clears it (config.md §4.2). Until then the
/// record names the target at hand, with `command`, a literal. The error is that of the last target tried, or
/// Cause::canceled where the session was stopped; that marks nobody. `chosen`, if given, gets the target that opened.
template <class T, class Open>
GOST_OWN_FRAME Task<Result<T>> first_that_opens(Session& session, const TargetList& targets, std::string_view command,
                                                Open open, const Target** chosen = nullptr) {
  std::vector<const Target*> tried;
  Error last{Cause::invalid, "there is no target"};
  while (const Target* target = targets.choose(session.requester(), tried)) {
    session.record.set_request(command, target->address);
    session.record.requested();
    auto opened = co_await open(target->address);
    if (opened) {
      targets.succeeded(*target);
      if (chosen != nullptr) *chosen = target;
      co_return opened;
    }
    last = std::move(opened.error());
    if (last.cause == Cause::canceled) break;
    targets.failed(*target);
    tried.push_back(target);
    if (tried.size() < targets.size())
      session.record.note(Level::warn, "target '" + target->name + "': " + last.text + "; trying another one");
  }
  co_return fail(std::move(last));
}

}  // namespace gost::forward
