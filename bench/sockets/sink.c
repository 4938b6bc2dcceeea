// sink: discards what one connection after the other sends, in the kernel (MSG_TRUNC), and closes at the end of file.
#include "common.h"

static char buffer[1 << 20];

int main(void) {
  start();
  int server = listener();
  for (;;) {
    int fd = check(accept(server, NULL, NULL), "accept");
    while (recv(fd, buffer, sizeof buffer, MSG_TRUNC) > 0) continue;
    close(fd);
  }
}
