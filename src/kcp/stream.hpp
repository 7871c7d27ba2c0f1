// KcpStream: the bytes of a KCP session.
#pragma once

#include "kcp/session.hpp"
#include "net/stream.hpp"

#include <optional>
#include <string>

namespace gost::kcp {

/// KCP knows no end of a stream: there is no half-close, and a peer that has gone shows only in its silence. Closing
/// it sends nothing but what was written. Outlives its session safely: then reads and writes fail, and error() tells
/// why the session ended.
class KcpStream final : public Stream {
 public:
  /// Sessions' carriers make them.
  explicit KcpStream(Session& session);
  KcpStream(const KcpStream&) = delete;
  KcpStream& operator=(const KcpStream&) = delete;
  ~KcpStream() override;

  IoResult try_read(MutableBytes into) override;
  /// Takes what the windows let in.
  IoResult try_write(Bytes from) override;
  IoResult try_shutdown() override;  ///< ENOTSUP
  void abort() override { aborted_ = true; }
  std::size_t undelivered() const override;
  bool ready(Interest interest) const override;
  Wait*& waiting(Interest interest) override { return interest == Interest::read ? reader_ : writer_; }
  SocketAddress local() const override { return local_; }
  SocketAddress remote() const override { return remote_; }
  std::string layers() const override { return layers_; }
  Error error(int number) const override;

  // For its session.

  void readable() { wake(reader_); }
  void writable() { wake(writer_); }
  void ended(const Error& error);

 private:
  static void wake(Wait* wait) {
    if (wait != nullptr) wait->complete();
  }
  IoResult failure() const;

  Session* session_;  ///< null when it has ended
  SocketAddress local_;
  SocketAddress remote_;
  std::string layers_;
  bool aborted_ = false;
  std::optional<Error> error_;
  Wait* reader_ = nullptr;
  Wait* writer_ = nullptr;
};

}  // namespace gost::kcp
