#include "net/memory_pipe.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>

namespace gost {

namespace {

/// Bytes on the way in one direction.
struct Channel {
  std::deque<std::uint8_t> bytes;
  std::size_t capacity;
  bool ended = false;   // the writer has shut down
  bool broken = false;  // one end was reset or destroyed
  Wait* reader = nullptr;
  Wait* writer = nullptr;

  static void wake(Wait*& place) {
    if (place != nullptr) place->complete();
  }
  void break_off() {
    broken = true;
    wake(reader);
    wake(writer);
  }
};

class MemoryStream final : public Stream {
 public:
  MemoryStream(std::shared_ptr<Channel> in, std::shared_ptr<Channel> out, const MemoryPipeOptions& options)
      : in_(std::move(in)), out_(std::move(out)), options_(options) {}
  ~MemoryStream() override {
    if (aborted_) {
      out_->bytes.clear();
      out_->break_off();
    } else {
      out_->ended = true;
      Channel::wake(out_->reader);
    }
    in_->break_off();
  }

  IoResult try_read(MutableBytes into) override {
    if (!in_->bytes.empty() || in_->ended || in_->broken) {
      if (steps_++ >= options_.fail_at) return IoResult::failed(ECONNRESET);
    }
    if (in_->bytes.empty()) {
      if (in_->broken) return IoResult::failed(ECONNRESET);
      return in_->ended ? IoResult::eof() : IoResult::would_block();
    }
    std::size_t count = std::min({into.size(), in_->bytes.size(), options_.read_at_most});
    auto end = in_->bytes.begin() + static_cast<std::ptrdiff_t>(count);
    std::copy(in_->bytes.begin(), end, into.begin());
    in_->bytes.erase(in_->bytes.begin(), end);
    Channel::wake(in_->writer);
    return IoResult::moved(count);
  }

  IoResult try_write(Bytes from) override {
    if (out_->broken || out_->ended) return IoResult::failed(EPIPE);
    std::size_t count = std::min(from.size(), out_->capacity - out_->bytes.size());
    if (count == 0) return IoResult::would_block();
    if (steps_++ >= options_.fail_at) return IoResult::failed(ECONNRESET);
    out_->bytes.insert(out_->bytes.end(), from.begin(), from.begin() + static_cast<std::ptrdiff_t>(count));
    Channel::wake(out_->reader);
    return IoResult::moved(count);
  }

  IoResult try_shutdown() override {
    if (!options_.half_close) return IoResult::failed(ENOTSUP);
    out_->ended = true;
    Channel::wake(out_->reader);
    return IoResult::moved(0);
  }

  void abort() override { aborted_ = true; }
  bool ready(Interest interest) const override {
    if (interest == Interest::read) return !in_->bytes.empty() || in_->ended || in_->broken;
    return out_->bytes.size() < out_->capacity || out_->broken || out_->ended;
  }
  Wait*& waiting(Interest interest) override { return interest == Interest::read ? in_->reader : out_->writer; }
  SocketAddress local() const override { return {}; }
  SocketAddress remote() const override { return {}; }
  std::string layers() const override { return "memory"; }

 private:
  std::shared_ptr<Channel> in_;
  std::shared_ptr<Channel> out_;
  MemoryPipeOptions options_;
  std::size_t steps_ = 0;
  bool aborted_ = false;
};

}  // namespace

std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> make_memory_pipe(const MemoryPipeOptions& options) {
  auto forth = std::make_shared<Channel>();
  auto back = std::make_shared<Channel>();
  forth->capacity = back->capacity = options.capacity;
  MemoryPipeOptions peer{.capacity = options.capacity};
  return {std::make_unique<MemoryStream>(back, forth, options), std::make_unique<MemoryStream>(forth, back, peer)};
}

}  // namespace gost
