// udp-flood PORT BYTES: datagrams, as many as the kernel takes: 64 in a message, which it cuts up (UDP_SEGMENT), and 16
// messages in a call. Without the cutting the flood would be what limits the rate, and not its receiver.
#include "common.h"
#include <netinet/udp.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { messages = 16, segments = 64, longest = 65507 };

int main(int argc, char **argv) {
  start();
  if (argc != 3) return 2;
  int fd = connected(SOCK_DGRAM, atoi(argv[1])), bytes = atoi(argv[2]);
  check(setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &bytes, sizeof bytes), "UDP_SEGMENT");
  static char payload[longest];
  int count = longest / bytes < segments ? longest / bytes : segments;
  struct iovec part = {.iov_base = payload, .iov_len = count * bytes};
  struct mmsghdr batch[messages];
  memset(batch, 0, sizeof batch);
  for (int index = 0; index < messages; index++) {
    batch[index].msg_hdr.msg_iov = &part;
    batch[index].msg_hdr.msg_iovlen = 1;
  }
  // ECONNREFUSED, once the receiver is gone: the flood is about to be ended too.
  while (sendmmsg(fd, batch, messages, 0) > 0 || errno == ECONNREFUSED || errno == EAGAIN) continue;
  perror("sendmmsg");
  return 1;
}
