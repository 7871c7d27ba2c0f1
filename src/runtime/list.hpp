// An intrusive doubly linked list: no allocation, removal in constant time, elements unlink themselves.
#pragma once

#include <cassert>

namespace gost {

/// The links of an element; a type that wants to be in a list of `Tag` derives from ListHook<Tag>.
template <class Tag>
class ListHook {
 public:
  ListHook() = default;
  ListHook(const ListHook&) = delete;
  ListHook& operator=(const ListHook&) = delete;
  ~ListHook() { unlink(); }

  bool linked() const { return next_ != nullptr; }
  void unlink() {
    if (next_ == nullptr) return;
    previous_->next_ = next_;
    next_->previous_ = previous_;
    next_ = previous_ = nullptr;
  }

 private:
  template <class, class>
  friend class List;
  ListHook* next_ = nullptr;
  ListHook* previous_ = nullptr;
};

/// A list of T, which derives from ListHook<Tag>. It does not own its elements.
template <class T, class Tag>
class List {
 public:
  List() { head_.next_ = head_.previous_ = &head_; }
  ~List() { assert(empty()); }

  bool empty() const { return head_.next_ == &head_; }
  T& front() { return static_cast<T&>(*head_.next_); }
  void push_back(T& element) {
    ListHook<Tag>& hook = element;
    assert(!hook.linked());
    hook.previous_ = head_.previous_;
    hook.next_ = &head_;
    head_.previous_->next_ = &hook;
    head_.previous_ = &hook;
  }
  /// Calls `visit(element)` for each; the visited element may unlink itself.
  template <class Visit>
  void for_each(Visit visit) {
    for (ListHook<Tag>* hook = head_.next_; hook != &head_;) {
      ListHook<Tag>* next = hook->next_;
      visit(static_cast<T&>(*hook));
      hook = next;
    }
  }

 private:
  ListHook<Tag> head_;
};

}  // namespace gost
