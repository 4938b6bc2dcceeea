// ping-pong PORT BYTES WARM_UP_ROUNDS ROUNDS: the median round trip to an echo server, with blocking calls.
#include "common.h"

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return (left > right) - (left < right);
}

static char message[65536], buffer[4096];

static double round_trip(int fd, size_t bytes) {
  double began = now();
  check(send(fd, message, bytes, MSG_NOSIGNAL), "send");
  for (size_t got = 0; got < bytes;) got += check(recv(fd, buffer, sizeof buffer, 0), "recv");
  return now() - began;
}

int main(int argc, char **argv) {
  start();
  if (argc != 5) return 2;
  size_t bytes = atoi(argv[2]);
  int warm_up = atoi(argv[3]), rounds = atoi(argv[4]);
  int fd = connected(SOCK_STREAM, atoi(argv[1]));
  no_delay(fd);
  double *seconds = calloc(rounds, sizeof *seconds);
  for (int round = 0; round < warm_up; round++) round_trip(fd, bytes);
  for (int round = 0; round < rounds; round++) seconds[round] = round_trip(fd, bytes);
  qsort(seconds, rounds, sizeof *seconds, ascending);
  printf("median_us %.3f\n", seconds[rounds / 2] * 1e6);
}
