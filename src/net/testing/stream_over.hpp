// For tests: a stream that passes everything on to the one below, as a base for those that change something.
#pragma once

#include "net/stream.hpp"

#include <memory>
#include <utility>

namespace gost::testing {

class StreamOver : public Stream {
 public:
  explicit StreamOver(std::unique_ptr<Stream> below) : below_(std::move(below)) {}

  IoResult try_read(MutableBytes into) override { return below_->try_read(into); }
  IoResult try_write(Bytes from) override { return below_->try_write(from); }
  IoResult try_shutdown() override { return below_->try_shutdown(); }
  void abort() override { below_->abort(); }
  std::size_t undelivered() const override { return below_->undelivered(); }
  bool closed() const override { return below_->closed(); }
  bool ready(Interest interest) const override { return below_->ready(interest); }
  Wait*& waiting(Interest interest) override { return below_->waiting(interest); }
  SocketAddress local() const override { return below_->local(); }
  SocketAddress remote() const override { return below_->remote(); }
  std::string layers() const override { return below_->layers(); }
  Error error(int number) const override { return below_->error(number); }

 protected:
  std::unique_ptr<Stream> below_;
};

}  // namespace gost::testing
