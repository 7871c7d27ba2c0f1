// A queue of functions from many threads to one: a lock-free stack that the consumer takes whole and reverses.
#pragma once

#include <atomic>
#include <functional>
#include <utility>

namespace gost {

class PostQueue {
 public:
  PostQueue() = default;
  PostQueue(const PostQueue&) = delete;
  PostQueue& operator=(const PostQueue&) = delete;
  ~PostQueue() {
    for (Node* node = head_.load(); node != nullptr;) delete std::exchange(node, node->next);
  }

  void push(std::move_only_function<void()> function) {
    Node* node = new Node{nullptr, std::move(function)};
    node->next = head_.load(std::memory_order_relaxed);
    while (!head_.compare_exchange_weak(node->next, node, std::memory_order_seq_cst, std::memory_order_relaxed)) {
    }
  }

  bool empty() const { return head_.load(std::memory_order_seq_cst) == nullptr; }

  /// Calls everything that is in the queue, oldest first. Only the consumer's thread.
  void run_all() {
    Node* newest = head_.exchange(nullptr, std::memory_order_acquire);
    Node* oldest = nullptr;
    while (newest != nullptr) {
      Node* next = newest->next;
      newest->next = oldest;
      oldest = newest;
      newest = next;
    }
    while (oldest != nullptr) {
      oldest->function();
      delete std::exchange(oldest, oldest->next);
    }
  }

 private:
  struct Node {
    Node* next;
    std::move_only_function<void()> function;
  };
  std::atomic<Node*> head_{nullptr};
};

}  // namespace gost
