// For tests of WebSocket: an end over a stream that tells what is done with it.
#pragma once

#include "net/testing/stream_over.hpp"
#include "ws/testing/pair.hpp"

#include <algorithm>

namespace gost::ws::testing {

/// A stream below that, like TLS, wants to see again what it has not taken yet.
class Jealous final : public gost::testing::StreamOver {
 public:
  using StreamOver::StreamOver;
  IoResult try_write(Bytes from) override {
    ++tries;
    const std::string_view text = as_text(from);
    const std::size_t both = std::min(text.size(), shown_.size());
    EXPECT_TRUE(text.substr(0, both) == std::string_view(shown_).substr(0, both)) << "other bytes than before";
    if (text.size() > shown_.size()) shown_ = text;
    IoResult io = below_->try_write(from);
    if (io.status == IoResult::Status::ok) shown_.erase(0, io.bytes);
    return io;
  }
  std::size_t undelivered() const override { return on_the_way; }
  bool ready(Interest interest) const override {
    if (interest == Interest::write) ++looks;
    return StreamOver::ready(interest);
  }
  SocketAddress remote() const override { return {IpAddress::v4({192, 0, 2, 1}), 5}; }
  std::string layers() const override { return "memory,jealous"; }

  std::size_t on_the_way = 0;
  int tries = 0;          ///< to write
  mutable int looks = 0;  ///< whether a write is worth a try

 private:
  std::string shown_;
};

/// An end over one of these.
struct OverJealous : Lone {
  explicit OverJealous(Role role, const StreamOptions& options = {}, const MemoryPipeOptions& pipe = {})
      : OverJealous(role, options, make(pipe)) {}

  Jealous& below;

 private:
  struct Made {
    std::unique_ptr<Stream> near;
    std::unique_ptr<Stream> far;
    Jealous& jealous;
  };
  static Made make(const MemoryPipeOptions& pipe) {
    auto [near, far] = make_memory_pipe(pipe);
    auto over = std::make_unique<Jealous>(std::move(near));
    Jealous& jealous = *over;
    return {std::move(over), std::move(far), jealous};
  }
  OverJealous(Role role, const StreamOptions& options, Made made)
      : Lone(role, options, {std::move(made.near), std::move(made.far)}), below(made.jealous) {}
};

}  // namespace gost::ws::testing
