// Datagrams as SOCKS5 carries them: the header of a UDP datagram, and frames in a stream, in every split.
#include "codec_properties.hpp"

#include "net/memory_pipe.hpp"
#include "socks5/framed_datagram.hpp"
#include "socks5/udp_codec.hpp"

#include <string>

namespace {

using namespace gost;

/// A frame that owns what the decoder only refers to.
struct OwnFrame {
  SocketAddress peer;
  std::string name;
  std::string payload;
  friend bool operator==(const OwnFrame&, const OwnFrame&) = default;
};

Decode<OwnFrame> decode_own(Bytes bytes) {
  auto decoded = socks5::decode_frame(bytes);
  if (auto* more = std::get_if<NeedMore>(&decoded)) return *more;
  if (auto* error = std::get_if<Error>(&decoded)) return *error;
  auto& frame = std::get<socks5::Frame>(decoded);
  return OwnFrame{frame.address.peer, std::string(frame.address.name), std::string(as_text(frame.payload))};
}

void check_header(Bytes bytes) {
  const std::vector<std::uint8_t> copy(bytes.begin(), bytes.end());
  auto header = socks5::decode_udp_header(copy);
  if (!header) return;
  fuzz::expect(header->size <= copy.size(), "the header lies in the datagram");
  fuzz::expect(!socks5::decode_udp_header(bytes.first(header->size - 1)), "no shorter datagram has this header");
  auto encoded = socks5::encode_udp_header(header->address);
  fuzz::expect(encoded.ok(), "what was decoded can be encoded");
  auto again = socks5::decode_udp_header(encoded.view());
  fuzz::expect(again && again->address == header->address, "the address survives");
}

void check_frame(Bytes bytes) {
  auto frame = fuzz::decode_checked(&decode_own, bytes);
  if (!frame) return;
  auto header = socks5::encode_frame_header({frame->peer, frame->name}, frame->payload.size());
  std::vector<std::uint8_t> encoded(header.view().begin(), header.view().end());
  encoded.insert(encoded.end(), frame->payload.begin(), frame->payload.end());
  fuzz::expect(fuzz::decode_again(&decode_own, encoded) == *frame, "the frame survives");
}

/// The frames one after the other, as far as they are whole; `broken` if a malformed one follows.
std::vector<OwnFrame> frames_of(Bytes stream, bool& broken) {
  std::vector<OwnFrame> frames;
  for (;;) {
    auto decoded = socks5::decode_frame(stream);
    broken = std::holds_alternative<Error>(decoded);
    auto* frame = std::get_if<socks5::Frame>(&decoded);
    if (frame == nullptr) return frames;
    frames.push_back(std::get<OwnFrame>(decode_own(stream)));
    stream = stream.subspan(frame->size);
  }
}

void check_stream(Bytes bytes) {
  if (bytes.empty()) return;
  std::size_t piece = std::size_t{1} + bytes[0];
  bytes = bytes.subspan(1);
  auto [near, far] = make_memory_pipe({.read_at_most = piece});
  if (!bytes.empty() && far->try_write(bytes).bytes != bytes.size()) return;  // longer than the pipe
  far->try_shutdown();
  socks5::FramedDatagram datagram(std::move(near), {}, {});
  std::vector<OwnFrame> got;
  DatagramBatch batch;
  IoResult io;
  while ((io = datagram.try_receive(batch)).status == IoResult::Status::ok)
    for (const auto& item : batch.items())
      got.push_back({item.peer, std::string(item.name), std::string(as_text(item.payload))});
  bool broken = false;
  fuzz::expect(got == frames_of(bytes, broken), "the frames of the stream arrive");
  fuzz::expect(io.status == (broken ? IoResult::Status::error : IoResult::Status::eof),
               "and then it ends as it ended");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  check_header({data, size});
  check_frame({data, size});
  check_stream({data, size});
  return 0;
}
