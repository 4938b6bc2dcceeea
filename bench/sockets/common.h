// What the C peers share. Each prints lines of the form "name value" and ends when it is killed, or by its alarm.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static inline int check(int result, const char *what) {
  if (result >= 0) return result;
  perror(what);
  exit(1);
}

static inline void start(void) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  signal(SIGPIPE, SIG_IGN);
  alarm(120);
}

static inline double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec + time.tv_nsec / 1e9;
}

static inline struct sockaddr_in loopback(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// A listener on a free port, which it prints.
static inline int listener(void) {
  int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
  struct sockaddr_in address = loopback(0);
  socklen_t length = sizeof address;
  check(bind(fd, (struct sockaddr *)&address, length), "bind");
  check(listen(fd, 1024), "listen");
  check(getsockname(fd, (struct sockaddr *)&address, &length), "getsockname");
  printf("port %d\n", ntohs(address.sin_port));
  return fd;
}

static inline int connected(int type, int port) {
  int fd = check(socket(AF_INET, type, 0), "socket");
  struct sockaddr_in address = loopback(port);
  check(connect(fd, (struct sockaddr *)&address, sizeof address), "connect");
  return fd;
}

static inline void no_delay(int fd) {
  int on = 1;
  check(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "TCP_NODELAY");
}

static inline void non_blocking(int fd) { check(fcntl(fd, F_SETFL, O_NONBLOCK), "fcntl"); }

static inline void watch(int epfd, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  check(epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
}
