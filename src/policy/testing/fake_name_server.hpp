// For tests of everything that asks name servers: one that answers at once, in memory, over datagrams and streams.
#pragma once

#include "core/text.hpp"
#include "net/datagram.hpp"
#include "net/stream.hpp"
#include "policy/name_server.hpp"

#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace gost::testing {

using Message = std::vector<std::uint8_t>;

inline void append_u16(Message& to, std::size_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}

/// The name in the question of a query, and its type.
inline std::pair<std::string, std::uint16_t> question_of(Bytes query) {
  std::string name;
  std::size_t at = 12;
  while (query[at] != 0) {
    if (!name.empty()) name += '.';
    name += as_text(query.subspan(at + 1, query[at]));
    at += std::size_t{1} + query[at];
  }
  return {name, static_cast<std::uint16_t>(query[at + 1] << 8 | query[at + 2])};
}

struct Reply {
  unsigned code = 0;
  std::vector<IpAddress> addresses;
  std::uint32_t ttl = 300;
  bool truncated = false;
};

/// The answer to `query` as a name server writes it.
inline Message reply_to(Bytes query, const Reply& reply) {
  std::size_t end = 12;
  while (query[end] != 0) end += std::size_t{1} + query[end];
  Message message(query.begin(), query.begin() + static_cast<std::ptrdiff_t>(end) + 5);
  message[2] = static_cast<std::uint8_t>(0x81 | (reply.truncated ? 0x02 : 0));
  message[3] = static_cast<std::uint8_t>(0x80 | reply.code);
  std::size_t count = reply.truncated ? 0 : reply.addresses.size();
  message[6] = 0;
  message[7] = static_cast<std::uint8_t>(count);
  for (int i = 8; i < 12; ++i) message[static_cast<std::size_t>(i)] = 0;
  for (std::size_t i = 0; i < count; ++i) {
    Bytes address = reply.addresses[i].bytes();
    append_u16(message, 0xc00c);
    append_u16(message, address.size() == 4 ? 1 : 28);
    append_u16(message, 1);
    append_u16(message, reply.ttl >> 16);
    append_u16(message, reply.ttl & 0xffff);
    append_u16(message, address.size());
    message.insert(message.end(), address.begin(), address.end());
  }
  return message;
}

/// Must outlive the paths that were opened to it.
class FakeNameServer {
 public:
  std::map<std::string, std::vector<IpAddress>> zone;
  unsigned code = 3;  ///< of the answer about a name that is not in the zone
  std::uint32_t ttl = 300;
  bool truncates = false;          ///< over datagrams
  bool deaf = false;               ///< never answers
  int loses = 0;                   ///< so many datagrams
  std::deque<Message> before;      ///< datagrams that come before an answer does; an empty one is the query itself
  std::vector<std::string> asked;  ///< "A example.org", "tcp AAAA example.org"
  std::vector<Message> queries;

  NameServerTransport transport() {
    NameServerTransport transport;
    transport.open_stream = [this](IoContext&, Endpoint) { return open_stream(); };
    transport.open_datagram = [this](IoContext&, Endpoint) { return open_datagram(); };
    return transport;
  }

  NameServerOptions options(std::string_view address = "udp://192.0.2.1") {
    NameServerOptions options;
    options.address = parse_name_server(address).value();
    options.transport = transport();
    return options;
  }

 private:
  std::optional<Message> answer(Bytes query, bool tcp) {
    auto [name, type] = question_of(query);
    asked.push_back(std::string(tcp ? "tcp " : "") + (type == 1 ? "A " : "AAAA ") + name);
    queries.emplace_back(query.begin(), query.end());
    if (deaf || (!tcp && loses-- > 0)) return std::nullopt;
    Reply reply;
    reply.ttl = ttl;
    reply.truncated = truncates && !tcp;
    auto found = zone.find(to_lower(name));
    if (found == zone.end()) {
      reply.code = code;
    } else {
      for (const IpAddress& ip : found->second)
        if (ip.is_v4() == (type == 1)) reply.addresses.push_back(ip);
    }
    return reply_to(query, reply);
  }

  class Path final : public Datagram {
   public:
    explicit Path(FakeNameServer& server) : server_(server) {}
    IoResult try_receive(DatagramBatch& batch) override {
      batch.clear();
      if (inbox_.empty()) return IoResult::would_block();
      current_ = std::move(inbox_.front());
      inbox_.pop_front();
      batch.add({{}, {}, current_});
      return IoResult::moved(current_.size());
    }
    SendOutcome try_send(std::span<const OutgoingDatagram> datagrams) override {
      for (const OutgoingDatagram& it : datagrams) {
        auto answered = server_.answer(it.payload, false);
        for (const Message& other : server_.before)
          inbox_.push_back(other.empty() ? Message(it.payload.begin(), it.payload.end()) : other);
        if (answered) inbox_.push_back(std::move(*answered));
      }
      return {.sent = datagrams.size()};
    }
    bool ready(Interest interest) const override { return interest == Interest::write || !inbox_.empty(); }
    Wait*& waiting(Interest interest) override { return interest == Interest::read ? reader_ : writer_; }
    SocketAddress local() const override { return {}; }
    std::string layers() const override { return "fake"; }

   private:
    FakeNameServer& server_;
    std::deque<Message> inbox_;
    Message current_;
    Wait* reader_ = nullptr;
    Wait* writer_ = nullptr;
  };

  class Connection final : public Stream {
   public:
    explicit Connection(FakeNameServer& server) : server_(server) {}
    IoResult try_read(MutableBytes into) override {
      if (out_.empty()) return server_.deaf ? IoResult::would_block() : IoResult::eof();
      std::size_t size = std::min<std::size_t>(into.size(), 1);  // in the smallest pieces
      std::memcpy(into.data(), out_.data(), size);
      out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(size));
      return IoResult::moved(size);
    }
    IoResult try_write(Bytes from) override {
      in_.insert(in_.end(), from.begin(), from.end());
      if (in_.size() >= 2 && in_.size() >= std::size_t{2} + static_cast<std::size_t>(in_[0] << 8 | in_[1])) {
        if (auto answered = server_.answer(Bytes(in_).subspan(2), true)) {
          append_u16(out_, answered->size());
          out_.insert(out_.end(), answered->begin(), answered->end());
        }
      }
      return IoResult::moved(from.size());
    }
    IoResult try_shutdown() override { return IoResult::moved(0); }
    void abort() override {}
    bool ready(Interest interest) const override {
      return interest == Interest::write || !server_.deaf || !out_.empty();
    }
    Wait*& waiting(Interest interest) override { return interest == Interest::read ? reader_ : writer_; }
    SocketAddress local() const override { return {}; }
    SocketAddress remote() const override { return {}; }
    std::string layers() const override { return "fake"; }

   private:
    FakeNameServer& server_;
    Message in_;
    Message out_;
    Wait* reader_ = nullptr;
    Wait* writer_ = nullptr;
  };

  Task<Result<std::unique_ptr<Stream>>> open_stream() { co_return std::make_unique<Connection>(*this); }
  Task<Result<std::unique_ptr<Datagram>>> open_datagram() { co_return std::make_unique<Path>(*this); }
};

}  // namespace gost::testing
