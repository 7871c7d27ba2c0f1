#include "socks5/destinations.hpp"

#include "net/outgoing_list.hpp"

#include <algorithm>

namespace gost::socks5 {

namespace {

constexpr std::size_t kMostNames = 64;
constexpr std::size_t kMostLookups = 8;
constexpr std::size_t kMostHeld = 16;
constexpr std::size_t kMostHeldBytes = std::size_t{64} * 1024;
constexpr Duration kDecisionKept = std::chrono::seconds(1);
constexpr Duration kNameKept = std::chrono::seconds(60);
constexpr Duration kFailureKept = std::chrono::seconds(5);
constexpr Duration kLookupTime = std::chrono::seconds(10);

}  // namespace

std::optional<DatagramAddress> Destinations::route(const DatagramAddress& to, Bytes payload) {
  if (!decided(to)) {
    last_ = decide(to);
    last_peer_ = to.peer;
    last_name_.assign(to.name);
  }
  if (last_.verdict == Verdict::send) return DatagramAddress{last_.peer, takes_names_ ? to.name : std::string_view()};
  if (last_.verdict == Verdict::wait) {
    hold(to, payload);
  } else {
    ++session_.datagrams.dropped;
  }
  return std::nullopt;
}

bool Destinations::decided(const DatagramAddress& to) const {
  return now() < last_.until && to.peer == last_peer_ && to.name == last_name_;
}

Destinations::Decision Destinations::decide(const DatagramAddress& to) {
  Decision decision{.peer = to.peer, .until = now() + kDecisionKept};
  if (to.peer.port() == 0) return decision;
  // As for CONNECT, the rules are asked for what the client wrote, not for what a name turns into.
  bool forbidden = to.name.empty() ? router_.forbids(Network::udp, to.peer.ip().to_string(), to.peer.port())
                                   : router_.forbids(Network::udp, to.name, to.peer.port());
  if (forbidden) {
    drops_.warn_once(Drops::Kind::forbidden, [&] { return "bypass: dropped a datagram for " + to.to_string(); });
    return decision;
  }
  if (!to.name.empty() && !takes_names_) return decide_name(to);
  decision.verdict = Verdict::send;
  return decision;
}

Destinations::Decision Destinations::decide_name(const DatagramAddress& to) {
  Decision decision{.until = now() + kDecisionKept};
  if (auto literal = IpAddress::parse(to.name)) {
    decision.peer = SocketAddress(literal->unmapped(), to.peer.port());
    decision.verdict = Verdict::send;
    return decision;
  }
  Name* name = find(to.name);
  if (name != nullptr && !name->looking) {
    decision.until = std::min(decision.until, name->until);
    if (!name->ip) return decision;
    decision.peer = SocketAddress(*name->ip, to.peer.port());
    decision.verdict = Verdict::send;
    return decision;
  }
  if (name == nullptr) {
    if (looking_ == kMostLookups) {
      decision.until = now();
      return decision;
    }
    std::string text(to.name);
    remember({.text = text});
    ++looking_;
    group_.spawn(look_up(std::move(text)));
    name = find(to.name);
    if (name != nullptr && !name->looking) return decide_name(to);  // the answer needed no wait
  }
  decision.verdict = Verdict::wait;  // until found() says otherwise
  return decision;
}

Destinations::Name* Destinations::find(std::string_view text) {
  auto found = std::ranges::find(names_, text, &Name::text);
  if (found == names_.end()) return nullptr;
  if (!found->looking && found->until <= now()) {
    names_.erase(found);
    return nullptr;
  }
  return &*found;
}

void Destinations::remember(Name name) {
  if (names_.size() == kMostNames) {
    auto kept_longest = [](const Name& candidate) { return candidate.looking ? TimePoint::max() : candidate.until; };
    names_.erase(std::ranges::min_element(names_, {}, kept_longest));
  }
  names_.push_back(std::move(name));
}

void Destinations::hold(const DatagramAddress& to, Bytes payload) {
  if (held_.size() == kMostHeld || kMostHeldBytes - held_bytes_ < payload.size()) {
    ++session_.datagrams.dropped;
    return;
  }
  held_bytes_ += payload.size();
  held_.push_back({std::string(to.name), to.peer.port(), {payload.begin(), payload.end()}});
}

Task<> Destinations::look_up(std::string text) {
  auto ip = co_await with_deadline(kLookupTime, router_.resolve(session_.io, text));
  --looking_;
  found(text, ip);
}

void Destinations::found(const std::string& text, const Result<IpAddress>& ip) {
  auto name = std::ranges::find(names_, text, &Name::text);  // never forgotten while it is looked up
  name->looking = false;
  if (ip) {
    name->ip = ip->unmapped();
  } else {
    drops_.warn_once(Drops::Kind::no_such_name,
                     [&] { return "dropped datagrams for " + text + ": " + ip.error().text; });
  }
  name->until = now() + (ip ? kNameKept : kFailureKept);
  last_.until = {};
  release(text, name->ip);
}

void Destinations::release(const std::string& text, const std::optional<IpAddress>& ip) {
  OutgoingList out;
  for (const Held& held : held_) {
    if (held.name != text) continue;
    held_bytes_ -= held.payload.size();
    if (ip) {
      out.add({.peer = SocketAddress(*ip, held.port), .payload = held.payload});
    } else {
      ++session_.datagrams.dropped;
    }
  }
  if (!out.empty()) session_.datagrams.dropped += outbound_.try_send(out.view()).dropped;
  std::erase_if(held_, [&](const Held& held) { return held.name == text; });
  if (held_.empty()) held_ = {};  // an idle association owns no buffer
}

}  // namespace gost::socks5
