#include "mux/frame_writer.hpp"

#include "net/gather.hpp"

#include <algorithm>
#include <array>

namespace gost {

namespace {

/// Frames of one write.
constexpr std::size_t kMaxFrames = 16;
constexpr std::size_t kMaxHeader = sizeof(MuxHeader::bytes);

}  // namespace

/// Control frames and the frames that a payload is cut into.
struct FrameWriter::Plan {
  /// `stream` may be null if there is no payload.
  Plan(Bytes control_frames, Bytes payload, const MuxMachineStream* stream, std::size_t max_frame, std::size_t most)
      : control(control_frames), size(control_frames.size()) {
    while (!payload.empty() && frames < kMaxFrames && size + kMaxHeader < most) {
      std::size_t length = std::min(payload.size(), max_frame);
      if (size + kMaxHeader + length > most) {
        if (frames > 0) break;  // a stump now would only make another one necessary
        length = most - size - kMaxHeader;
      }
      headers[frames] = stream->header(length);
      payloads[frames] = payload.first(length);
      payload = payload.subspan(length);
      payload_size += length;
      size += headers[frames].size + length;
      ++frames;
    }
  }

  Bytes control;
  std::array<MuxHeader, kMaxFrames> headers;
  std::array<Bytes, kMaxFrames> payloads;
  std::size_t frames = 0;
  std::size_t payload_size = 0;
  std::size_t size;
};

IoResult FrameWriter::flush() {
  std::size_t moved = 0;
  while (written_ < kept_.size()) {
    IoResult io = below_.try_write(Bytes(kept_).subspan(written_));
    if (io.status != IoResult::Status::ok) return io;
    written_ += io.bytes;
    moved += io.bytes;
  }
  kept_ = {};
  written_ = 0;
  return IoResult::moved(moved);
}

IoResult FrameWriter::write(Bytes control, Bytes payload, const MuxMachineStream* stream, std::size_t max_frame) {
  if (below_.kernel(Interest::write) != nullptr) return send(Plan(control, payload, stream, max_frame, SIZE_MAX));
  return copy(Plan(control, payload, stream, max_frame, BufferPool::kBufferSize));
}

IoResult FrameWriter::send(const Plan& plan) {
  std::array<iovec, 1 + 2 * kMaxFrames> slices;
  std::size_t count = 0;
  if (!plan.control.empty()) slices[count++] = slice_of(plan.control);
  for (std::size_t i = 0; i < plan.frames; ++i) {
    slices[count++] = slice_of(plan.headers[i].view());
    slices[count++] = slice_of(plan.payloads[i]);
  }
  IoResult io = try_gather(*below_.kernel(Interest::write), std::span(slices).first(count));
  if (io.status == IoResult::Status::error) return io;
  return IoResult::moved(settle(plan, io.bytes));
}

IoResult FrameWriter::copy(const Plan& plan) {
  auto buffer = buffers_.borrow();
  auto end = std::ranges::copy(plan.control, buffer.bytes().begin()).out;
  for (std::size_t i = 0; i < plan.frames; ++i) {
    end = std::ranges::copy(plan.headers[i].view(), end).out;
    end = std::ranges::copy(plan.payloads[i], end).out;
  }
  IoResult io = below_.try_write(buffer.bytes().first(plan.size));
  if (io.status == IoResult::Status::would_block) {
    // A TLS below may have encrypted them all the same, and wants to see these very bytes again.
    keep(buffer.bytes().first(plan.size));
    return IoResult::moved(plan.payload_size);
  }
  if (io.status == IoResult::Status::ok) io.bytes = settle(plan, io.bytes);
  return io;
}

std::size_t FrameWriter::settle(const Plan& plan, std::size_t written) {
  if (written < plan.control.size()) {
    keep(plan.control.subspan(written));
    return 0;
  }
  written -= plan.control.size();
  std::size_t begun = 0;
  for (std::size_t i = 0; i < plan.frames && written > 0; ++i) {
    Bytes header = plan.headers[i].view();
    Bytes payload = plan.payloads[i];
    begun += payload.size();
    if (written < header.size()) keep(header.subspan(written));
    if (written < header.size() + payload.size())
      keep(payload.subspan(written > header.size() ? written - header.size() : 0));
    written -= std::min(written, header.size() + payload.size());
  }
  return begun;
}

}  // namespace gost
