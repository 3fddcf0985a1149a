/* Tries one way out and says how it went: `reach WAY ADDRESS PORT [FD]`, status 0 when the kernel let it through. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int told(const char *way, int failed) {
  printf("%s: %s\n", way, failed ? strerror(errno) : "out");
  return failed ? 1 : 0;
}

/* A listening or connected socket that was made elsewhere becomes a fresh one, still of the old namespace. */
static int dissolve(int fd) {
  struct sockaddr nobody = {.sa_family = AF_UNSPEC};
  /* Whoever handed it in left it non-blocking; this wants to wait. */
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
  return connect(fd, &nobody, sizeof nobody);
}

int main(int argc, char **argv) {
  const char *way = argv[1];
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[3]))};
  inet_pton(AF_INET, argv[2], &to.sin_addr);
  int fd = argc > 4 ? atoi(argv[4]) : -1;
  struct sockaddr *address = (struct sockaddr *)&to;

  if (!strcmp(way, "tcp")) {
    fd = socket(AF_INET, SOCK_STREAM, 0);
    int failed = fd < 0 || connect(fd, address, sizeof to);
    if (!failed && write(fd, way, strlen(way)) < 0) failed = 1;
    return told(way, failed);
  }
  if (!strcmp(way, "udp")) {
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    return told(way, fd < 0 || sendto(fd, way, strlen(way), 0, address, sizeof to) < 0);
  }
  if (!strcmp(way, "reuse")) {
    if (dissolve(fd)) perror("dissolve");
    int failed = connect(fd, address, sizeof to);
    if (!failed && write(fd, way, strlen(way)) < 0) failed = 1;
    return told(way, failed);
  }
  if (!strcmp(way, "rebind")) {
    if (dissolve(fd)) perror("dissolve");
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
    return told(way, bind(fd, (struct sockaddr *)&here, sizeof here) || listen(fd, 1));
  }
  if (!strcmp(way, "fastopen")) {
    if (dissolve(fd)) perror("dissolve");
    return told(way, sendto(fd, way, strlen(way), MSG_FASTOPEN, address, sizeof to) < 0);
  }
  if (!strcmp(way, "fastopen-message")) {
    if (dissolve(fd)) perror("dissolve");
    struct iovec part = {(void *)way, strlen(way)};
    struct msghdr message = {.msg_name = address, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1};
    return told(way, sendmsg(fd, &message, MSG_FASTOPEN) < 0);
  }
  if (!strcmp(way, "fastopen-messages")) {
    if (dissolve(fd)) perror("dissolve");
    struct iovec part = {(void *)way, strlen(way)};
    struct mmsghdr message = {{.msg_name = address, .msg_namelen = sizeof to, .msg_iov = &part, .msg_iovlen = 1}, 0};
    return told(way, sendmmsg(fd, &message, 1, MSG_FASTOPEN) < 0);
  }
  if (!strcmp(way, "vsock")) return told(way, socket(AF_VSOCK, SOCK_STREAM, 0) < 0);
  if (!strcmp(way, "packet")) return told(way, socket(AF_PACKET, SOCK_RAW, 0) < 0);
  if (!strcmp(way, "netlink")) return told(way, socket(AF_NETLINK, SOCK_RAW, 0) < 0);
  if (!strcmp(way, "uring")) {
    char parameters[256] = {0};
    return told(way, syscall(SYS_io_uring_setup, 4, parameters) < 0);
  }
  return 2;
}
