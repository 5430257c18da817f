// What is queued on the streams of the emulated devices, and when it is done: nothing before
// somebody waits for it, and then in an order that only streams and events decide.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

namespace gradloom::emulator {

struct Stream;

// A place in a stream's work.
struct Event {
  Stream* stream = nullptr;  // null: never recorded, which counts as done
  uint64_t position = 0;
};

struct Operation {
  std::string name;
  std::function<std::string()> run;  // gives what was wrong
  bool toHost = false;               // copies into memory of the host
  Event after;                       // must be done before
};

// Work that was captured instead of queued.
struct Graph {
  int device = 0;
  std::vector<Operation> operations;
};

struct Stream {
  int device = 0;
  std::deque<Operation> waiting;
  uint64_t queued = 0, done = 0;
  Graph* capturing = nullptr;
  bool spoiled = false;  // something was done that a capture forbids
};

Stream* makeStream(int device);

// Queues, or captures where the stream does.
void add(Stream& stream, Operation operation);

// Does all work of the stream, and whatever it must come after. Others may have got ahead, or not.
void drain(Stream& stream);
// Does what an event stands for.
void reach(const Event& event);
bool isDone(const Event& event);
// Does all work of a device.
void drainDevice(int device);

// The first fault since somebody asked.
void setFault(const std::string& what);
bool isFaulty();
std::string takeFault();

// The stream that is capturing; null when none is.
Stream* capturing();
// Whether a call would spoil a capture, which it then has, and is a fault.
bool spoils(const char* call);

// Whether a copy into memory of the host is queued anywhere.
bool copiesToHost();

}  // namespace gradloom::emulator
