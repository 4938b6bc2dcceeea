// stream-source: sends to one connection after the other for as long as it reads.
#include "common.h"

static char buffer[262144];

int main(void) {
  start();
  int server = listener();
  for (;;) {
    int fd = check(accept(server, NULL, NULL), "accept");
    while (send(fd, buffer, sizeof buffer, MSG_NOSIGNAL) > 0) continue;
    close(fd);
  }
}
