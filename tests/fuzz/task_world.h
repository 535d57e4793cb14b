#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fuzz/input.h"
#include "kernel/symbols/call_frames.h"
#include "support/task_guest.h"

namespace photon_dmesg::fuzz {

// A guest with a few tasks in which all is sound: lists, stacks, locks, a module, tables to unwind
// by. An input says in which words it is not. Guests are made once and mended after each use, as to
// make one takes longer than to read it.
class TaskWorld {
 public:
  static constexpr std::size_t versions = 7;
  static constexpr std::size_t first_with_orc = 2;  // those before had none

  // The guest of a kernel of that version, with ORC tables or with frame pointers. It stays.
  [[nodiscard]] static TaskWorld& of(std::size_t version, bool has_orc);

  [[nodiscard]] test::TaskGuest& guest() { return guest_; }

  // For who writes inputs: the number by which word() and damage() mean a place in its heap, and
  // the tasks that are there, the idle one first.
  [[nodiscard]] std::uint64_t heap_number(GuestVirtual place) const { return (place - heap_) / 8; }
  [[nodiscard]] const std::vector<test::MadeTask>& tasks() const { return tasks_; }

  // Changes words as `input` says until it ends, or mends them.
  void damage(Input& input);
  void mend();

  // A number that may lead somewhere, of the first bytes of `input`.
  [[nodiscard]] std::uint64_t word(Input& input);

  // Frames of its functions, as `input` says.
  [[nodiscard]] std::unique_ptr<CallFrames> call_frames(Input& input) const;

 private:
  TaskWorld(std::size_t version, bool has_orc);
  void add_types();
  void add_functions();
  void add_processor();
  void add_tasks();
  void add_locks();
  void add_module();
  void add_pids();
  void add_orc();
  [[nodiscard]] GuestVirtual function(const std::string& name) const;
  test::MadeTask sleeper(std::int32_t pid, const std::string& comm, const std::string& function);

  std::size_t version_;
  test::TaskGuest guest_;
  GuestVirtual heap_ = guest_.allocate(8);
  GuestVirtual data_ = guest_.variable("first_variable");
  std::vector<std::pair<std::string, GuestVirtual>> functions_;
  std::vector<test::MadeTask> tasks_;
  struct Change {
    GuestVirtual place;
    std::uint64_t before = 0;
  };
  std::vector<Change> changes_;
};

}  // namespace photon_dmesg::fuzz
