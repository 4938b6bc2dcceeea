// echo-server: echoes every connection, on one thread with epoll.
#include "common.h"

static char buffer[65536];

static void accept_one(int epfd, int server) {
  int fd = check(accept4(server, NULL, NULL, SOCK_NONBLOCK), "accept4");
  no_delay(fd);
  watch(epfd, fd);
}

static void echo(int fd) {
  ssize_t received = recv(fd, buffer, sizeof buffer, 0);
  // Messages of 64 bytes always fit into the socket's buffer: a short send is an error here.
  if (received > 0 && send(fd, buffer, received, MSG_NOSIGNAL) == received) return;
  if (received < 0 && errno == EAGAIN) return;
  close(fd);
}

int main(void) {
  start();
  int server = listener(), epfd = check(epoll_create1(0), "epoll_create1");
  watch(epfd, server);
  struct epoll_event events[512];
  for (;;) {
    int count = epoll_wait(epfd, events, 512, -1);
    for (int index = 0; index < count; index++) {
      int fd = events[index].data.fd;
      if (fd == server) accept_one(epfd, server);
      else echo(fd);
    }
  }
}
