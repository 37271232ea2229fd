/* Preloaded into Envoy: gives a pod's Envoy the pod's own address on this machine.
 *
 * A pod address 10.240.0.0/12 stands for the same address in 127.0.0.0/8, which needs no network. What is bound to
 * all addresses (0.0.0.0) is bound to the pod's own, SANDBOX_POD_ADDRESS, so that many Envoys can have port 8443.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

typedef int (*socket_call)(int, const struct sockaddr *, socklen_t);

/* Writes the address to use instead; returns 0 where the given one is to be used. */
static int on_loopback(const struct sockaddr *given, socklen_t length, struct sockaddr_in *instead) {
    if (given == NULL || length < sizeof *instead || given->sa_family != AF_INET) return 0;
    memcpy(instead, given, sizeof *instead);
    uint32_t address = ntohl(instead->sin_addr.s_addr);
    if ((address & 0xfff00000u) != 0x0af00000u) return 0;
    instead->sin_addr.s_addr = htonl((address & 0x00ffffffu) | 0x7f000000u);
    return 1;
}

static int on_pod_address(const struct sockaddr *given, socklen_t length, struct sockaddr_in *instead) {
    const char *own = getenv("SANDBOX_POD_ADDRESS");
    if (own == NULL || given == NULL || length < sizeof *instead || given->sa_family != AF_INET) return 0;
    memcpy(instead, given, sizeof *instead);
    return instead->sin_addr.s_addr == htonl(INADDR_ANY) && inet_pton(AF_INET, own, &instead->sin_addr) == 1;
}

int bind(int descriptor, const struct sockaddr *given, socklen_t length) {
    socket_call next = (socket_call)dlsym(RTLD_NEXT, "bind");
    struct sockaddr_in instead;
    if (on_loopback(given, length, &instead) || on_pod_address(given, length, &instead))
        return next(descriptor, (const struct sockaddr *)&instead, sizeof instead);
    return next(descriptor, given, length);
}

int connect(int descriptor, const struct sockaddr *given, socklen_t length) {
    socket_call next = (socket_call)dlsym(RTLD_NEXT, "connect");
    struct sockaddr_in instead;
    if (on_loopback(given, length, &instead))
        return next(descriptor, (const struct sockaddr *)&instead, sizeof instead);
    return next(descriptor, given, length);
}
