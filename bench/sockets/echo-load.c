// echo-load PORT CONNECTIONS BYTES WARM_UP_SECONDS SECONDS: each connection has one message under way; how many a second
// come back.
#include "common.h"

static char message[65536];
static char buffer[65536];

// A message that comes back in pieces counts with its last one.
static long answer(int fd, size_t bytes, size_t *missing) {
  ssize_t received = check(recv(fd, buffer, sizeof buffer, 0), "recv");
  if (received == 0) { fprintf(stderr, "the server closed a connection\n"); exit(1); }
  *missing -= received;
  if (*missing > 0) return 0;
  *missing = bytes;
  check(send(fd, message, bytes, MSG_NOSIGNAL), "send");
  return 1;
}

static long run(int epfd, size_t bytes, size_t *missing, double seconds) {
  struct epoll_event events[512];
  double end = now() + seconds;
  long messages = 0;
  while (now() < end) {
    int count = epoll_wait(epfd, events, 512, 1000);
    for (int index = 0; index < count; index++) {
      int fd = events[index].data.fd;
      messages += answer(fd, bytes, &missing[fd]);
    }
  }
  return messages;
}

int main(int argc, char **argv) {
  start();
  if (argc != 6) return 2;
  int port = atoi(argv[1]), connections = atoi(argv[2]);
  size_t bytes = atoi(argv[3]);
  int epfd = check(epoll_create1(0), "epoll_create1");
  size_t *missing = calloc(connections + 64, sizeof *missing);
  for (int index = 0; index < connections; index++) {
    int fd = connected(SOCK_STREAM, port);
    no_delay(fd);
    watch(epfd, fd);
    missing[fd] = bytes;
    check(send(fd, message, bytes, MSG_NOSIGNAL), "send");
  }
  run(epfd, bytes, missing, atof(argv[4]));
  double began = now();
  long messages = run(epfd, bytes, missing, atof(argv[5]));
  printf("messages_per_second %.0f\n", messages / (now() - began));
}
